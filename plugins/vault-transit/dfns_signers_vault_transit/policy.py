"""Policies in HCL: what a token must be allowed, and no more."""

from __future__ import annotations


def rule(path: str, *capabilities: str) -> str:
    """A rule of a policy for one path."""
    listed = ", ".join(f'"{capability}"' for capability in capabilities)
    return f'path "{path}" {{\n  capabilities = [{listed}]\n}}'


def signing_policy(mount: str, key: str) -> str:
    """The smallest policy that opens a key and signs with it."""
    return f"{rule(f'{mount}/keys/{key}', 'read')}\n\n{rule(f'{mount}/sign/{key}', 'update')}\n"


def creating_policy(mount: str, key: str) -> str:
    """The smallest policy that creates a key."""
    return f"{rule(f'{mount}/keys/{key}', 'read', 'create', 'update')}\n"


def listing_policy(mount: str) -> str:
    """The smallest policy that lists the keys of a mount and tells what they are."""
    return f"{rule(f'{mount}/keys', 'list')}\n\n{rule(f'{mount}/keys/+', 'read')}\n"
