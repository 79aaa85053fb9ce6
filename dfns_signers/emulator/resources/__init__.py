"""The operations of the API, one module for each kind of entity."""

from __future__ import annotations

from typing import Final

from dfns_signers.emulator.resources import (
    activation,
    approvals,
    assets,
    credentials,
    fees,
    key_shares,
    keys,
    permissions,
    policies,
    service_accounts,
    signatures,
    tokens,
    transactions,
    transfers,
    user_actions,
    users,
    wallets,
)
from dfns_signers.emulator.routes import Router

_MODULES: Final = (
    user_actions,
    credentials,
    users,
    service_accounts,
    tokens,
    permissions,
    policies,
    approvals,
    wallets,
    activation,
    transfers,
    transactions,
    assets,
    fees,
    keys,
    key_shares,
    signatures,
)


def build_router() -> Router:
    """A router of every operation that is emulated."""
    return Router(route for module in _MODULES for route in module.ROUTES)
