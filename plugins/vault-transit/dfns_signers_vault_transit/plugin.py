"""The backend ``vault-transit``: the class that its entry point names."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

from dfns_signers.plugin import Algorithm, Backend, KeyDescription, ManagesKeys, SigningKey
from dfns_signers_vault_transit.options import (
    VaultTransitConnection,
    VaultTransitCreate,
    VaultTransitList,
    VaultTransitOptions,
)

if TYPE_CHECKING:
    from dfns_signers_vault_transit.vault import Vault


class VaultTransitBackend(
    Backend[VaultTransitOptions], ManagesKeys[VaultTransitCreate, VaultTransitList]
):
    """Opens, creates and lists keys in the Transit engine of HashiCorp Vault and OpenBao."""

    options = VaultTransitOptions
    create_options = VaultTransitCreate
    list_options = VaultTransitList

    def open(self, options: VaultTransitOptions) -> SigningKey:
        """Log in, read the key, and pin its version; see VaultTransitKey for what is refused."""
        from dfns_signers_vault_transit.key import VaultTransitKey  # noqa: PLC0415  # imports hvac

        with contextlib.ExitStack() as unless_opened:
            vault = unless_opened.enter_context(_connection(options))
            key = VaultTransitKey(
                vault,
                options.key,
                mount=options.mount,
                key_version=options.key_version,
                batch=options.batch,
                is_pinned=options.fingerprint is not None,
            )
            unless_opened.pop_all()
        return key

    def create(self, algorithm: Algorithm, options: VaultTransitCreate) -> KeyDescription:
        """Create a key under a name that is free."""
        from dfns_signers_vault_transit.management import create_key  # noqa: PLC0415  # imports hvac

        with _connection(options) as vault:
            return create_key(vault, algorithm, options)

    def list_keys(self, options: VaultTransitList) -> Iterator[KeyDescription]:
        """Every key of the mount that signs and that the token may read."""
        from dfns_signers_vault_transit.management import list_keys  # noqa: PLC0415  # imports hvac

        with _connection(options) as vault:
            yield from list_keys(vault, options)


def _connection(options: VaultTransitConnection) -> contextlib.closing[Vault]:
    from dfns_signers_vault_transit.vault import connect  # noqa: PLC0415  # it imports hvac

    return contextlib.closing(connect(options))
