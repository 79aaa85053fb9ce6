"""The version of a key that is to follow the configured one."""

from __future__ import annotations

import contextlib

from dfns_signers.plugin import KeyDescription, errors
from dfns_signers_vault_transit.descriptions import describe
from dfns_signers_vault_transit.errors import missing_policy, rule
from dfns_signers_vault_transit.opening import Description, read_description
from dfns_signers_vault_transit.options import VaultTransitOptions
from dfns_signers_vault_transit.vault import Vault, connect


def next_key(options: VaultTransitOptions) -> KeyDescription:
    """The lowest version above the configured one that signs; if there is none, the key is rotated.

    A rotation whose answer was lost is found by the next call, for its version is there.

    Raises:
        ConfigurationError: no version is configured, so that a rotation would change what signs.
        KeyNotFoundError: there is no such key or version.
        SigningKeyError: Vault refused or failed.
    """
    with contextlib.closing(connect(options)) as vault:
        found = read_description(vault, options.mount, options.key)
        found.require_key_type()
        pinned = _pinned(options, found)
        found.require_version(pinned)
        if found.next_version(pinned) is None:
            _rotate(vault, options)
            found = read_description(vault, options.mount, options.key)
    version = found.next_version(pinned)
    if version is None:
        raise errors.SigningKeyError(
            f"the key {found.path} at Vault at {found.location} was rotated, and has no version "
            f"above {pinned} that signs: check 'vault read {options.mount}/keys/{options.key}'"
        )
    return describe(found, options, options.key, version)


def _pinned(options: VaultTransitOptions, found: Description) -> int:
    if options.key_version is None:
        raise errors.ConfigurationError(
            f"the key {found.path} at Vault at {found.location} has no 'key_version' in its "
            "[signer] table, so that every process that starts opens the latest version: after a "
            "rotation that is one which is not registered with Dfns. The latest is "
            f"{found.latest_version}: if that is the registered one, set key_version = "
            f"{found.latest_version} wherever the key is configured, and then try again"
        )
    return options.key_version


def _rotate(vault: Vault, options: VaultTransitOptions) -> None:
    mount, key = options.mount, options.key
    remedy = missing_policy(rule(f"{mount}/keys/{key}/rotate", "update"))
    vault.request(
        vault.purpose(f"rotate the key {mount}/{key}", remedy, mount),
        lambda client, _: client.secrets.transit.rotate_key(key, mount_point=mount),
        repeat=False,
    )
