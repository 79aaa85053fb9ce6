"""Requests and answers: what goes over the wire, and which requests are taken."""
