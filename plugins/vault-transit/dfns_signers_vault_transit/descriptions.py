"""A key as the framework describes it, with the ``[signer]`` table that opens it."""

from __future__ import annotations

from dfns_signers.plugin import KeyDescription
from dfns_signers_vault_transit.opening import Description
from dfns_signers_vault_transit.options import VaultTransitConnection


def describe(
    found: Description, options: VaultTransitConnection, name: str, version: int
) -> KeyDescription:
    """A version of a key, to be opened as the options reach it."""
    key_type = found.key_type
    signer = {
        "backend": "vault-transit",
        **options.settings(),
        "key": name,
        "key_version": version,
    }
    return KeyDescription(
        reference=f"{found.path} at {options.address}",
        algorithm=key_type.algorithm if key_type else None,
        kind=found.type,
        state="deleted" if found.is_deleted else f"latest version {found.latest_version}",
        signer=signer if key_type else {},
    )
