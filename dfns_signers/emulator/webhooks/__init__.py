"""Webhooks: events, and their delivery."""
