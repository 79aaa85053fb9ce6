"""The backend ``vault-transit``: the class that its entry point names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from dfns_signers.plugin import (
    Algorithm,
    Backend,
    DiagnosesKeys,
    Finding,
    KeyDescription,
    ManagesKeys,
    Policy,
    SigningKey,
)
from dfns_signers_vault_transit.environment import variable
from dfns_signers_vault_transit.options import (
    VaultTransitCreate,
    VaultTransitList,
    VaultTransitOptions,
)


class VaultTransitBackend(
    Backend[VaultTransitOptions],
    ManagesKeys[VaultTransitCreate, VaultTransitList],
    DiagnosesKeys[VaultTransitOptions],
):
    """Keys in the Transit engine of HashiCorp Vault and OpenBao: opened, managed, examined."""

    options = VaultTransitOptions
    create_options = VaultTransitCreate
    list_options = VaultTransitList

    def open(self, options: VaultTransitOptions) -> SigningKey:
        """Log in, read the key, and pin its version; see VaultTransitKey for what is refused."""
        from dfns_signers_vault_transit.key import open_key  # noqa: PLC0415  # it imports hvac

        return open_key(options)

    def suggestions(self, profile: str, folder: Path) -> Mapping[str, str | None]:
        """Vault's own address in this environment, and a key with the name of the profile."""
        del folder
        return {"address": variable(str, "AGENT_ADDR", "ADDR"), "key": f"dfns-{profile}"}

    def create(self, algorithm: Algorithm, options: VaultTransitCreate) -> KeyDescription:
        """Create a key under a name that is free."""
        from dfns_signers_vault_transit.management import create_key  # noqa: PLC0415  # imports hvac

        return create_key(algorithm, options)

    def find(self, algorithm: Algorithm, options: VaultTransitCreate) -> KeyDescription | None:
        """The key of that name, if there is one; SigningKeyError where ``key_type`` is another."""
        from dfns_signers_vault_transit.management import find_key  # noqa: PLC0415  # imports hvac

        return find_key(algorithm, options)

    def create_next(self, options: VaultTransitOptions) -> KeyDescription:
        """The version that follows the configured one: one that is there, else by a rotation."""
        from dfns_signers_vault_transit.rotation import next_key  # noqa: PLC0415  # imports hvac

        return next_key(options)

    def list_keys(self, options: VaultTransitList) -> Iterator[KeyDescription]:
        """Every key of the mount that signs and that the token may read."""
        from dfns_signers_vault_transit.management import list_keys  # noqa: PLC0415  # imports hvac

        return list_keys(options)

    def diagnose(self, options: VaultTransitOptions) -> Iterator[Finding]:
        """Examine the server, the token, the key and the permissions; nothing is signed."""
        from dfns_signers_vault_transit.diagnosis import diagnose  # noqa: PLC0415  # imports hvac

        return diagnose(options)

    def policy(self, options: VaultTransitOptions) -> Policy:
        """The policy, in HCL, for exactly this key."""
        from dfns_signers_vault_transit.policies import signing_policy  # noqa: PLC0415  # hvac

        return signing_policy(options)
