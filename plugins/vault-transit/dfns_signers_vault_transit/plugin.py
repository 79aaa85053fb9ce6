"""The plugin behind the entry point ``vault-transit``."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any

from dfns_signers.backends.backend import Backend
from dfns_signers.hooks import LocalSigner, hookimpl
from dfns_signers_vault_transit.backend import VaultTransitBackend


@hookimpl
def dfns_backend() -> Backend[Any]:
    """The backend of keys in Transit."""
    return VaultTransitBackend()


@hookimpl
def dfns_local_signers() -> AbstractContextManager[Sequence[LocalSigner]]:
    """A key of each type on a local server."""
    from dfns_signers_vault_transit.local import local_signers  # noqa: PLC0415  # it imports hvac

    return local_signers()
