"""A web application whose users sign with passkeys; docs/delegated-signing.md explains it."""
