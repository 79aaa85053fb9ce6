"""All operations in one table."""

from __future__ import annotations

from dfns_signers.emulator.resources import (
    credentials,
    key_signatures,
    keys,
    permissions,
    personal_tokens,
    policies,
    service_accounts,
    transfers,
    user_actions,
    wallet_tags,
    wallets,
)
from dfns_signers.emulator.routes import Router

_MODULES = (
    user_actions,
    credentials,
    service_accounts,
    personal_tokens,
    wallets,
    wallet_tags,
    transfers,
    keys,
    key_signatures,
    policies,
    permissions,
)


def build_router() -> Router:
    """A router of every operation that is emulated."""
    return Router(route for module in _MODULES for route in module.ROUTES)
