"""The operations of the API, one module for each kind of entity that has behaviour of its own."""

from __future__ import annotations

from functools import cache
from typing import Final

from dfns_signers.emulator.kept import kept_routes
from dfns_signers.emulator.resources import (
    activation,
    agreements,
    approvals,
    assets,
    audit_logs,
    bulk_wallets,
    credentials,
    fees,
    key_shares,
    keys,
    login,
    permissions,
    policies,
    recovery,
    registration,
    service_accounts,
    signatures,
    token_exchange,
    tokens,
    transactions,
    transfers,
    user_actions,
    users,
    wallets,
    webhooks,
)
from dfns_signers.emulator.routes import Route, Router

_MODULES: Final = (
    user_actions,
    audit_logs,
    credentials,
    registration,
    login,
    recovery,
    users,
    service_accounts,
    tokens,
    token_exchange,
    permissions,
    policies,
    approvals,
    agreements,
    wallets,
    bulk_wallets,
    activation,
    transfers,
    transactions,
    assets,
    fees,
    keys,
    key_shares,
    signatures,
    webhooks,
)


@cache
def build_router() -> Router:
    """A router of every operation of the API; emulators share it."""
    routes = behaving_routes()
    return Router([*routes, *kept_routes(route.operation for route in routes)])


def behaving_routes() -> list[Route]:
    """The routes of operations that do more than keep what they were given."""
    return [route for module in _MODULES for route in module.ROUTES]
