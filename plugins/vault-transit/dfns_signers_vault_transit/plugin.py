"""The plugin behind the entry point ``vault-transit``."""

from __future__ import annotations

from typing import Any

from dfns_signers.backends.backend import Backend
from dfns_signers.hooks import hookimpl
from dfns_signers_vault_transit.backend import VaultTransitBackend


@hookimpl
def dfns_backend() -> Backend[Any]:
    """The backend of keys in Transit."""
    return VaultTransitBackend()
