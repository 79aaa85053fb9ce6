"""The operations of the API, one module for each kind of entity that has behaviour of its own."""

from __future__ import annotations

from functools import cache
from typing import Final

from dfns_signers.emulator.kept.operations import kept_routes
from dfns_signers.emulator.requests.routes import Route, Router
from dfns_signers.emulator.resources import (
    activation,
    agreements,
    approvals,
    assets,
    bulk_wallets,
    fees,
    key_shares,
    keys,
    permissions,
    policies,
    signatures,
    transactions,
    transfers,
    wallets,
    webhooks,
)
from dfns_signers.emulator.resources.auth import (
    audit_logs,
    credentials,
    login,
    recovery,
    registration,
    service_accounts,
    tokens,
    user_actions,
    users,
)

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
