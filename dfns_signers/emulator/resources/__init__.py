"""The operations of the API, one module for each kind of entity."""

from __future__ import annotations

from typing import Final

from dfns_signers.emulator.resources import (
    credentials,
    keys,
    login,
    policies,
    recovery,
    registration,
    tokens,
    transfers,
    user_actions,
    wallets,
)
from dfns_signers.emulator.routes import Router

_MODULES: Final = (
    user_actions,
    credentials,
    registration,
    login,
    recovery,
    tokens,
    wallets,
    transfers,
    keys,
    policies,
)


def build_router() -> Router:
    """A router of every operation that is emulated."""
    return Router(route for module in _MODULES for route in module.ROUTES)
