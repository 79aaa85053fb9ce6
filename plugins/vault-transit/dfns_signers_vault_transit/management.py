"""Create, find and list keys."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any, Final

from dfns_signers.plugin import Algorithm, Attempt, KeyDescription, errors
from dfns_signers_vault_transit.algorithms import key_type_for
from dfns_signers_vault_transit.answers import VaultRefusalError
from dfns_signers_vault_transit.descriptions import describe
from dfns_signers_vault_transit.errors import missing_policy, rule
from dfns_signers_vault_transit.names import is_key_name
from dfns_signers_vault_transit.opening import read_description
from dfns_signers_vault_transit.options import VaultTransitCreate, VaultTransitList
from dfns_signers_vault_transit.vault import Vault, connect

_NOT_FOUND: Final = 404
_SERVER_FAILED: Final = 500


def create_key(algorithm: Algorithm, options: VaultTransitCreate) -> KeyDescription:
    """Create a key that can be neither exported nor deleted nor read in a backup.

    Raises:
        UnsupportedKeyError: Transit has no keys for the algorithm.
        SigningKeyError: the name is taken, Vault refused, or the key may have been created.
        KeyStoreUnavailableError: Vault did nothing; another attempt may help.
    """
    type_ = key_type_for(algorithm, options.key_type).name
    mount, name = options.mount, options.key
    with contextlib.closing(connect(options)) as vault:
        taken = errors.SigningKeyError(
            f"cannot create the key {mount}/{name}: there is one already at Vault at "
            f"{vault.location}, and it was left as it is; choose another name"
        )
        with contextlib.suppress(errors.KeyNotFoundError):
            read_description(vault, mount, name)
            raise taken
        _request_creation(vault, mount, name, type_)
        created = read_description(vault, mount, name)
    # Transit ignores a second creation: somebody else's key would stay as it is.
    if (created.type, created.latest_version) != (type_, 1):
        raise taken
    return describe(created, options, name, created.latest_version)


def _request_creation(vault: Vault, mount: str, name: str, type_: str) -> None:
    remedy = missing_policy(rule(f"{mount}/keys/{name}", "read", "create", "update"))
    try:
        vault.request(
            vault.purpose(f"create the key {mount}/{name}", remedy, mount),
            lambda client, _: client.secrets.transit.create_key(
                name, key_type=type_, mount_point=mount
            ),
            repeat=False,
        )
    except errors.KeyStoreUnavailableError as error:
        if _was_turned_away(error.__cause__):
            raise
        raise errors.SigningKeyError(
            f"the key {mount}/{name} may have been created; see 'dfns-signers keys list' or "
            f"'vault list {mount}/keys' before another attempt: {error}"
        ) from error


def _was_turned_away(cause: BaseException | None) -> bool:
    """Whether Vault answered before it did anything: with a redirect, a standby's or a 4xx."""
    return isinstance(cause, VaultRefusalError) and cause.status < _SERVER_FAILED


def find_key(algorithm: Algorithm, options: VaultTransitCreate) -> KeyDescription | None:
    """The key of that name, if there is one.

    Raises:
        UnsupportedKeyError: Dfns does not accept it, or it has another type than the options name.
        KeyStateError: it is deleted.
        SigningKeyError: Vault refused or failed.
    """
    key_type_for(algorithm, options.key_type)
    with contextlib.closing(connect(options)) as vault:
        try:
            found = read_description(vault, options.mount, options.key)
        except errors.KeyNotFoundError:
            return None
    key_type = found.require_key_type()
    if options.key_type not in {None, key_type.name}:
        raise errors.UnsupportedKeyError(
            f"the key {found.path} at Vault at {found.location} is there already, with the type "
            f"{key_type.name}, and {options.key_type} was asked for; choose another name"
        )
    return describe(found, options, options.key, found.latest_version)


def list_keys(options: VaultTransitList) -> Iterator[KeyDescription]:
    """Every key of the mount that signs and that the token may read.

    Raises:
        SigningKeyError: Vault refused or failed.
    """
    with contextlib.closing(connect(options)) as vault:
        for name in _names(vault, options.mount):
            try:
                found = read_description(vault, options.mount, name)
            except (errors.KeyAccessError, errors.KeyNotFoundError):
                continue  # not for this token, or deleted in the meantime
            if found.is_signing:
                yield describe(found, options, name, found.latest_version)


def _names(vault: Vault, mount: str) -> list[str]:
    def read(client: Any, _: Attempt) -> list[str]:
        try:
            names = client.secrets.transit.list_keys(mount_point=mount)["data"]["keys"]
        except VaultRefusalError as refusal:
            # Without an explanation, 404 is Vault's answer to a list that is empty.
            if refusal.status != _NOT_FOUND or refusal.errors:
                raise
            return []
        if not isinstance(names, list):
            raise TypeError("the names of the keys are a list")
        # One that would lead elsewhere cannot be configured either.
        return [name for name in names if isinstance(name, str) and is_key_name(name)]

    remedy = missing_policy(rule(f"{mount}/keys", "list"), rule(f"{mount}/keys/+", "read"))
    return vault.request(vault.purpose(f"list the keys of {mount}", remedy, mount), read)
