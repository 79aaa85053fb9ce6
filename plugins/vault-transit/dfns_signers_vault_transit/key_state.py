"""Whether a version of a key may sign, and what is unsafe about the key."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import Field

from dfns_signers.plugin import Finding, Severity, errors
from dfns_signers_vault_transit.checks import Check
from dfns_signers_vault_transit.opening import Description, read_as
from dfns_signers_vault_transit.options import VaultTransitOptions
from dfns_signers_vault_transit.vault import Vault

_CHECK = "key state"


class ExaminedKey(Description):
    """A key with what opening it does not ask for.

    Attributes:
        auto_rotate_period: seconds between two rotations by the server; 0 for none.
        lowest_available: versions below this one were trimmed, and are gone.
    """

    exportable: bool = False
    allow_plaintext_backup: bool = False
    deletion_allowed: bool = False
    auto_rotate_period: float = Field(default=0, ge=0)
    lowest_available: int = Field(default=0, alias="min_available_version")


def examine_key(vault: Vault, options: VaultTransitOptions) -> Iterator[Finding]:
    """Read the key.

    Raises:
        DfnsSignersError: there is no such key, or it cannot be read.
    """
    check = Check(_CHECK)
    key = read_as(ExaminedKey, vault, options.mount, options.key)
    version = options.key_version or key.latest_version
    try:
        key.public_key(version)
    except errors.DfnsSignersError as error:
        yield check.failure(error, _remedy(key, version))
        return
    yield check.passed(f"version {version} of the key {key.path}, of type {key.type}, signs")
    yield from _version_findings(key, options)
    yield from _warnings(key)


def _remedy(key: ExaminedKey, version: int) -> str:
    if key.is_deleted:
        return f"restore it: 'vault write -f {_keys(key)}/soft-delete-restore'"
    if key.key_type is None:
        return "create one: 'dfns-signers keys create Ed25519 --backend vault-transit -o key=…'"
    if version > key.latest_version:
        return f"set key_version to one that there is; the latest is {key.latest_version}"
    if version < key.lowest_available:
        return "the version was trimmed, and is gone: register a newer one with Dfns"
    minimum = "encryption" if version in key.versions else "decryption"
    return f"lower the minimum: '{_configure(key)} min_{minimum}_version={version}'"


def _version_findings(key: ExaminedKey, options: VaultTransitOptions) -> Iterator[Finding]:
    latest = key.latest_version
    if options.key_version is None:
        if options.fingerprint is None:
            yield _warning(
                f"'key_version' is not set: after a rotation of the key {key.path}, a process that "
                "starts opens another version than the one registered with Dfns",
                f"set key_version = {latest}, if that is the registered version",
            )
    elif options.key_version < latest:
        yield Finding(
            _CHECK,
            Severity.OK,
            f"the key {key.path} has newer versions than {options.key_version}, up to {latest}: "
            "'dfns-signers rotate' moves on to the next",
        )


def _warnings(key: ExaminedKey) -> Iterator[Finding]:
    another = "it cannot be taken back: create another key without it, and register that with Dfns"
    if key.exportable:
        yield _warning(f"the private key of {key.path} can be exported", another)
    if key.allow_plaintext_backup:
        yield _warning(f"the private key of {key.path} can be read in a backup", another)
    if key.deletion_allowed:
        yield _warning(
            f"the key {key.path} can be deleted", f"run '{_configure(key)} deletion_allowed=false'"
        )
    if key.auto_rotate_period:
        yield _warning(
            f"the server rotates the key {key.path} every {key.auto_rotate_period:,.0f} s: each "
            "time it makes a version that is not registered with Dfns",
            f"run '{_configure(key)} auto_rotate_period=0'",
        )


def _warning(message: str, remedy: str) -> Finding:
    return Finding(_CHECK, Severity.WARNING, message, remedy)


def _configure(key: ExaminedKey) -> str:
    return f"vault write {_keys(key)}/config"


def _keys(key: ExaminedKey) -> str:
    mount, _, name = key.path.rpartition("/")
    return f"{mount}/keys/{name}"
