"""The backend ``vault-transit``: the class that its entry point names."""

from __future__ import annotations

from collections.abc import Iterator

from dfns_signers.plugin import Algorithm, Backend, KeyDescription, ManagesKeys, SigningKey
from dfns_signers_vault_transit.options import (
    VaultTransitCreate,
    VaultTransitList,
    VaultTransitOptions,
)


class VaultTransitBackend(
    Backend[VaultTransitOptions], ManagesKeys[VaultTransitCreate, VaultTransitList]
):
    """Opens, creates and lists keys in the Transit engine of HashiCorp Vault and OpenBao."""

    options = VaultTransitOptions
    create_options = VaultTransitCreate
    list_options = VaultTransitList

    def open(self, options: VaultTransitOptions) -> SigningKey:
        """Log in, read the key, and pin its version; see VaultTransitKey for what is refused."""
        from dfns_signers_vault_transit.key import open_key  # noqa: PLC0415  # it imports hvac

        return open_key(options)

    def create(self, algorithm: Algorithm, options: VaultTransitCreate) -> KeyDescription:
        """Create a key under a name that is free."""
        from dfns_signers_vault_transit.management import create_key  # noqa: PLC0415  # imports hvac

        return create_key(algorithm, options)

    def list_keys(self, options: VaultTransitList) -> Iterator[KeyDescription]:
        """Every key of the mount that signs and that the token may read."""
        from dfns_signers_vault_transit.management import list_keys  # noqa: PLC0415  # imports hvac

        return list_keys(options)
