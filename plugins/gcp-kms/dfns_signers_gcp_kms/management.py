"""Create and list key rings, crypto keys and versions."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from google.api_core.exceptions import AlreadyExists
from google.cloud.kms_v1 import CryptoKeyVersion

from dfns_signers.plugin import Algorithm, KeyDescription, KeyPendingError, errors
from dfns_signers_gcp_kms.algorithms import ALGORITHMS, algorithm_name, enum_name, name_for
from dfns_signers_gcp_kms.client import GcpKms, connect
from dfns_signers_gcp_kms.names import CRYPTO_KEY, KEY_RING, split
from dfns_signers_gcp_kms.opening import listed
from dfns_signers_gcp_kms.options import GcpKmsConnection, GcpKmsCreate, GcpKmsList


def create_key(algorithm: Algorithm, options: GcpKmsCreate) -> KeyDescription:
    """Create a key version, and wait until it can sign; see the backend for what is refused."""
    kind = name_for(algorithm, options.rsa_bits)
    level = options.protection_level or ALGORITHMS[kind].levels[0]
    if level not in ALGORITHMS[kind].levels:
        raise errors.UnsupportedKeyError(
            f"Cloud KMS has {kind} keys at the protection level "
            f"{' or '.join(ALGORITHMS[kind].levels)} only: set protection_level accordingly"
        )
    name = options.crypto_key
    with connect(options) as kms:
        if options.create_key_ring:
            _ensure_key_ring(kms, split(name)[0])
        if options.new_version:
            _require_same_kind(kms, kind, level, options)
        else:
            _create_crypto_key(kms, name, kind, level)
        # Created apart from its key, so that the answer names it.
        task = f"create a version of the crypto key {name}"
        made = kms.call(task, "create_crypto_key_version", {"parent": name}, repeat=False)
        look, patience = partial(_enabled, kms, made.name), options.generation_timeout
        return _described(kms.once_ready(look, timeout=patience), options)


def _ensure_key_ring(kms: GcpKms, name: str) -> None:
    parent, own = split(name)
    fields = {"parent": parent, "key_ring_id": own}
    try:
        kms.call(f"create the key ring {name}", "create_key_ring", fields, repeat=False)
    except errors.SigningKeyError as error:
        if not isinstance(error.__cause__, AlreadyExists):
            raise


def _create_crypto_key(kms: GcpKms, name: str, kind: str, level: str) -> None:
    parent, own = split(name)
    template = {"algorithm": kind, "protection_level": level}
    fields = {
        "parent": parent,
        "crypto_key_id": own,
        "crypto_key": {"purpose": "ASYMMETRIC_SIGN", "version_template": template},
        "skip_initial_version_creation": True,
    }
    kms.call(f"create the crypto key {name}", "create_crypto_key", fields, repeat=False)


def _require_same_kind(kms: GcpKms, kind: str, level: str, options: GcpKmsCreate) -> None:
    """Refuse to add a version of another kind than was asked for: its key determines it."""
    name = options.crypto_key
    key = kms.call(f"read the crypto key {name}", "get_crypto_key", {"name": name})
    template = key.version_template
    found = algorithm_name(template), enum_name(template, "protection_level")
    if found[0] != kind or (options.protection_level and found[1] != level):
        raise errors.UnsupportedKeyError(
            f"versions of {name} have the algorithm {found[0]} at the protection level {found[1]}, "
            f"and {kind} at {level} was asked for: create another crypto key"
        )


def _enabled(kms: GcpKms, name: str) -> Any:
    task = f"read the key {name}, which was created"
    version = kms.call(task, "get_crypto_key_version", {"name": name})
    state = enum_name(version, "state")
    if state != "ENABLED":
        is_pending = state == "PENDING_GENERATION"
        raise (KeyPendingError if is_pending else errors.KeyStateError)(
            f"the key {name} was created and cannot sign yet: it is {state}. Look at it again with "
            "'dfns-signers keys list', or raise generation_timeout"
        )
    return version


def list_keys(options: GcpKmsList) -> Iterator[KeyDescription]:
    """Every version of every signing key below the parent."""
    with connect(options) as kms:
        for key in _crypto_keys(kms, options.parent):
            for version in listed(kms, "crypto_key_versions", key):
                yield _described(version, options)


def _crypto_keys(kms: GcpKms, parent: str) -> Iterator[str]:
    """Names of the signing keys in a location or key ring, or of one."""
    if CRYPTO_KEY.fullmatch(parent):
        yield parent
    elif KEY_RING.fullmatch(parent):
        for key in listed(kms, "crypto_keys", parent):
            if enum_name(key, "purpose") == "ASYMMETRIC_SIGN":
                yield key.name
    else:
        for ring in listed(kms, "key_rings", parent):
            yield from _crypto_keys(kms, ring.name)


def _described(version: CryptoKeyVersion, options: GcpKmsConnection) -> KeyDescription:
    kind = algorithm_name(version)
    known = ALGORITHMS.get(kind)
    how = options.given(GcpKmsConnection)
    return KeyDescription(
        reference=version.name,
        algorithm=known.algorithm if known else None,
        kind=f"{kind} ({enum_name(version, 'protection_level')})",
        state=enum_name(version, "state"),
        signer={"backend": "gcp-kms", "key_version": version.name, **how} if known else {},
    )
