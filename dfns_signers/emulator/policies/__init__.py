"""Policies: what they judge, and what waits for approval."""
