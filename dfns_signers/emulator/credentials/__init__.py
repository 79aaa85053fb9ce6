"""Credentials: how each kind is registered, and what proves that it signed."""
