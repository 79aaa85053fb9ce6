"""Requests in the one form that is taken, answers, and what became of each."""
