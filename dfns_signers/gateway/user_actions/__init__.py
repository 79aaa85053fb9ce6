"""The user actions of the gateway itself, for official SDKs."""
