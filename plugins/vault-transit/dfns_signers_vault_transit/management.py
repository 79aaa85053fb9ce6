"""Create and list keys."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from dfns_signers.algorithms import Algorithm
from dfns_signers.backends.management import KeyDescription
from dfns_signers.errors import KeyAccessError, KeyNotFoundError, SigningKeyError
from dfns_signers_vault_transit.algorithms import key_type_for
from dfns_signers_vault_transit.description import Description, read_description
from dfns_signers_vault_transit.errors import Purpose, malformed, missing_policy
from dfns_signers_vault_transit.options import (
    ConnectionOptions,
    CreateKeyOptions,
    ListKeysOptions,
)
from dfns_signers_vault_transit.policy import creating_policy, listing_policy
from dfns_signers_vault_transit.vault import Vault


def create_key(vault: Vault, algorithm: Algorithm, options: CreateKeyOptions) -> KeyDescription:
    """Create a key that can be neither exported nor deleted nor read in a backup.

    Raises:
        UnsupportedKeyError: Transit has no keys for the algorithm.
        SigningKeyError: the name is taken, or Vault refused or failed.
    """
    key_type = key_type_for(algorithm, options.key_type)
    mount, name = options.mount, options.key
    purpose = Purpose(
        f"create the key {mount}/{name}", missing_policy(creating_policy(mount, name)), mount
    )
    _require_free_name(vault, mount, name)
    vault.call(
        lambda client: client.secrets.transit.create_key(
            name, key_type=key_type.name, mount_point=mount
        ),
        purpose,
    )
    created = read_description(vault, mount, name)
    # Transit takes no notice of a second creation: somebody else's key would stay as it is.
    if (created.type, created.latest_version) != (key_type.name, 1):
        raise _taken(mount, name, vault)
    return _describe(created, options, name)


def list_keys(vault: Vault, options: ListKeysOptions) -> Iterator[KeyDescription]:
    """Every key of the mount that signs and that the token may read.

    Raises:
        SigningKeyError: Vault refused or failed.
    """
    for name in _names(vault, options.mount):
        try:
            found = read_description(vault, options.mount, name)
        except (KeyAccessError, KeyNotFoundError):
            continue  # not for this token, or deleted in the meantime
        if found.is_signing:
            yield _describe(found, options, name)


def _names(vault: Vault, mount: str) -> list[str]:
    purpose = Purpose(f"list the keys of {mount}", missing_policy(listing_policy(mount)), mount)
    try:
        answer = vault.call(
            lambda client: client.secrets.transit.list_keys(mount_point=mount), purpose
        )
    except KeyNotFoundError as error:
        # Without an explanation, 404 is Vault's answer to a list that is empty.
        if getattr(error.__cause__, "errors", None):
            raise
        return []
    names = answer.data.get("keys")
    if not isinstance(names, list):
        raise malformed(purpose, vault.server)
    return [str(name) for name in names]


def _require_free_name(vault: Vault, mount: str, name: str) -> None:
    with contextlib.suppress(KeyNotFoundError):
        read_description(vault, mount, name)
        raise _taken(mount, name, vault)


def _taken(mount: str, name: str, vault: Vault) -> SigningKeyError:
    return SigningKeyError(
        f"{vault.server} has a key {mount}/{name} already, and it was left as it is. Choose "
        "another name"
    )


def _describe(found: Description, options: ConnectionOptions, name: str) -> KeyDescription:
    key_type = found.key_type
    return KeyDescription(
        reference=f"{found.path} at {options.address}",
        algorithm=key_type.algorithm if key_type else None,
        kind=found.type,
        state="deleted" if found.is_deleted else f"latest version {found.latest_version}",
        signer=_signer(found, options, name) if key_type else {},
    )


def _signer(found: Description, options: ConnectionOptions, name: str) -> dict[str, Any]:
    """The ``[signer]`` table of the latest version, without what is secret."""
    table: dict[str, Any] = {"backend": "vault-transit", "address": options.address}
    if options.namespace:
        table["namespace"] = options.namespace
    return {**table, "mount": options.mount, "key": name, "key_version": found.latest_version}
