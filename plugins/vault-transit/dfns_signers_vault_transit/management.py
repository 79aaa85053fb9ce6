"""Create and list keys."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any, Final

from dfns_signers.plugin import Algorithm, KeyDescription, errors
from dfns_signers_vault_transit.algorithms import key_type_for
from dfns_signers_vault_transit.client import VaultRefusalError
from dfns_signers_vault_transit.errors import creating_policy, listing_policy, missing_policy
from dfns_signers_vault_transit.opening import Description, read_description
from dfns_signers_vault_transit.options import (
    VaultTransitConnection,
    VaultTransitCreate,
    VaultTransitList,
)
from dfns_signers_vault_transit.vault import Vault

_NOT_FOUND: Final = 404


def create_key(vault: Vault, algorithm: Algorithm, options: VaultTransitCreate) -> KeyDescription:
    """Create a key that can be neither exported nor deleted nor read in a backup.

    Raises:
        UnsupportedKeyError: Transit has no keys for the algorithm.
        SigningKeyError: the name is taken, or Vault refused or failed.
    """
    key_type = key_type_for(algorithm, options.key_type)
    mount, name = options.mount, options.key
    remedy = missing_policy(creating_policy(mount, name))
    with contextlib.suppress(errors.KeyNotFoundError):
        read_description(vault, mount, name)
        raise _taken(mount, name, vault)
    vault.ask(
        lambda client: client.secrets.transit.create_key(
            name, key_type=key_type.name, mount_point=mount
        ),
        vault.purpose(f"create the key {mount}/{name}", remedy, mount),
        repeat=False,
    )
    created = read_description(vault, mount, name)
    # Transit ignores a second creation: somebody else's key would stay as it is.
    if (created.type, created.latest_version) != (key_type.name, 1):
        raise _taken(mount, name, vault)
    return _describe(created, options, name)


def list_keys(vault: Vault, options: VaultTransitList) -> Iterator[KeyDescription]:
    """Every key of the mount that signs and that the token may read.

    Raises:
        SigningKeyError: Vault refused or failed.
    """
    for name in _names(vault, options.mount):
        try:
            found = read_description(vault, options.mount, name)
        except (errors.KeyAccessError, errors.KeyNotFoundError):
            continue  # not for this token, or deleted in the meantime
        if found.is_signing:
            yield _describe(found, options, name)


def _names(vault: Vault, mount: str) -> list[str]:
    def ask(client: Any) -> Any:
        try:
            return client.secrets.transit.list_keys(mount_point=mount)
        except VaultRefusalError as refusal:
            # Without an explanation, 404 is Vault's answer to a list that is empty.
            if refusal.status != _NOT_FOUND or refusal.errors:
                raise
            return {"data": {"keys": []}}

    remedy = missing_policy(listing_policy(mount))
    purpose = vault.purpose(f"list the keys of {mount}", remedy, mount)
    answer = vault.ask(ask, purpose)
    with purpose.explained():
        names = answer.data["keys"]
        if not isinstance(names, list):
            raise TypeError("the names of the keys are a list")
        return [str(name) for name in names]


def _taken(mount: str, name: str, vault: Vault) -> errors.SigningKeyError:
    return errors.SigningKeyError(
        f"cannot create the key {mount}/{name}: there is one already at Vault at {vault.location}, "
        "and it was left as it is; choose another name"
    )


def _describe(found: Description, options: VaultTransitConnection, name: str) -> KeyDescription:
    key_type = found.key_type
    return KeyDescription(
        reference=f"{found.path} at {options.address}",
        algorithm=key_type.algorithm if key_type else None,
        kind=found.type,
        state="deleted" if found.is_deleted else f"latest version {found.latest_version}",
        signer=_signer(found, options, name) if key_type else {},
    )


def _signer(found: Description, options: VaultTransitConnection, name: str) -> dict[str, Any]:
    """The ``[signer]`` table of the latest version, without what is secret."""
    table: dict[str, Any] = {"backend": "vault-transit", "address": options.address}
    if options.namespace:
        table["namespace"] = options.namespace
    return {**table, "mount": options.mount, "key": name, "key_version": found.latest_version}
