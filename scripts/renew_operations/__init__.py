"""Renews the table of operations from the official SDKs that the package registries hold."""
