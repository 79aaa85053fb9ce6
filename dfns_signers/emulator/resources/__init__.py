"""The operations of the API, one module for each kind of entity that has behaviour of its own."""

from __future__ import annotations

from functools import cache
from typing import Final

from dfns_signers.emulator.kept import kept_routes
from dfns_signers.emulator.resources import (
    agreements,
    audit_logs,
    credentials,
    keys,
    policies,
    token_exchange,
    tokens,
    transfers,
    user_actions,
    wallets,
)
from dfns_signers.emulator.routes import Route, Router

_MODULES: Final = (
    user_actions,
    audit_logs,
    credentials,
    tokens,
    token_exchange,
    agreements,
    wallets,
    transfers,
    keys,
    policies,
)


@cache
def build_router() -> Router:
    """A router of every operation of the API; emulators share it."""
    routes = behaving_routes()
    return Router([*routes, *kept_routes(route.operation for route in routes)])


def behaving_routes() -> list[Route]:
    """The routes of operations that do more than keep what they were given."""
    return [route for module in _MODULES for route in module.ROUTES]
