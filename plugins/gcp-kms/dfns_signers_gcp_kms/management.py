"""Create, find and list key rings, crypto keys and versions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from google.api_core.exceptions import AlreadyExists
from google.cloud.kms_v1 import CryptoKeyVersion

from dfns_signers.plugin import Algorithm, KeyDescription, errors
from dfns_signers_gcp_kms.algorithms import ALGORITHMS, algorithm_name, enum_name, name_for
from dfns_signers_gcp_kms.client import GcpKms, connect
from dfns_signers_gcp_kms.names import CRYPTO_KEY, KEY_RING, split
from dfns_signers_gcp_kms.opening import listed, require_version
from dfns_signers_gcp_kms.options import GcpKmsCreate, GcpKmsList, GcpKmsOptions
from dfns_signers_gcp_kms.versions import (
    add_version,
    algorithm_of,
    described,
    following,
    is_pending,
    level_of,
    once_enabled,
    state_of,
    usable,
)


def create_key(algorithm: Algorithm, options: GcpKmsCreate) -> KeyDescription:
    """Create a key version, and wait until it can sign; see the backend for what is refused."""
    kind, level = _asked(algorithm, options)
    name = options.crypto_key
    with connect(options) as kms:
        if options.create_key_ring:
            _ensure_key_ring(kms, split(name)[0])
        if options.new_version:
            _require_template(kms, kind, options)
        else:
            _create_crypto_key(kms, name, kind, level)
        # Created apart from its key, so that the answer names it.
        return described(add_version(kms, name), options)


def find_key(algorithm: Algorithm, options: GcpKmsCreate) -> KeyDescription | None:
    """Find the version that was created for these options, and complete what is half made."""
    kind, _ = _asked(algorithm, options)
    name = options.crypto_key
    with connect(options) as kms:
        try:
            versions = list(listed(kms, "crypto_key_versions", name))
        except errors.KeyNotFoundError:
            return None
        found = _newest(versions, algorithm, options)
        if found is not None:
            return described(once_enabled(kms, found), options)
        if any(state_of(one) != "GENERATION_FAILED" for one in versions):
            return None
        _require_template(kms, kind, options)
        return described(add_version(kms, name), options)


def create_next(options: GcpKmsOptions) -> KeyDescription:
    """The version that follows a configured one; created unless there is one."""
    name = options.key_version
    with connect(options) as kms:
        require_version(kms, name)
        current = kms.call(f"read the key {name}", "get_crypto_key_version", {"name": name})
        crypto_key = split(name)[0]
        found = following(listed(kms, "crypto_key_versions", crypto_key), current)
        if found is not None:
            return described(once_enabled(kms, found), options)
        template = _template(kms, crypto_key)
        if algorithm_of(template) is not algorithm_of(current):
            raise errors.UnsupportedKeyError(
                f"new versions of {crypto_key} have the algorithm {algorithm_name(template)}, and "
                f"{name} has {algorithm_name(current)}: change the algorithm of new versions back, "
                "or create another crypto key"
            )
        return described(add_version(kms, crypto_key), options)


def _asked(algorithm: Algorithm, options: GcpKmsCreate) -> tuple[str, str]:
    """What Cloud KMS calls the algorithm that is asked for, and the protection level to have."""
    kind = name_for(algorithm, options.rsa_bits)
    level = options.protection_level or ALGORITHMS[kind].levels[0]
    if level not in ALGORITHMS[kind].levels:
        raise errors.UnsupportedKeyError(
            f"Cloud KMS has {kind} keys at the protection level "
            f"{' or '.join(ALGORITHMS[kind].levels)} only: set protection_level accordingly"
        )
    return kind, level


def _newest(
    versions: list[CryptoKeyVersion], algorithm: Algorithm, options: GcpKmsCreate
) -> CryptoKeyVersion | None:
    """The newest version that may have been created for these options.

    Where another version is asked for, one that is enabled may be what it is to follow.
    """
    found = [one for one in usable(versions) if is_pending(one) or not options.new_version]
    fitting = [one for one in found if algorithm_of(one) is algorithm]
    if not fitting:
        return found[-1] if found else None
    newest = fitting[-1]
    kind = algorithm_name(newest)
    if "rsa_bits" in options.model_fields_set:
        kind = name_for(algorithm, options.rsa_bits)
    _require_same(newest.name, newest, kind, options)
    return newest


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


def _template(kms: GcpKms, crypto_key: str) -> Any:
    """What new versions of a crypto key will be like."""
    task = f"read the crypto key {crypto_key}"
    return kms.call(task, "get_crypto_key", {"name": crypto_key}).version_template


def _require_template(kms: GcpKms, kind: str, options: GcpKmsCreate) -> None:
    """Refuse to add a version of another kind than was asked for: its key determines it."""
    name = options.crypto_key
    _require_same(f"new versions of {name}", _template(kms, name), kind, options)


def _require_same(what: str, found: Any, kind: str, options: GcpKmsCreate) -> None:
    level = options.protection_level or level_of(found)
    if (algorithm_name(found), level_of(found)) != (kind, level):
        raise errors.UnsupportedKeyError(
            f"{what}: the algorithm is {algorithm_name(found)} at the protection level "
            f"{level_of(found)}, and {kind} at {level} was asked for. Create another crypto key"
        )


def list_keys(options: GcpKmsList) -> Iterator[KeyDescription]:
    """Every version of every signing key below the parent."""
    with connect(options) as kms:
        for key in _crypto_keys(kms, options.parent):
            for version in listed(kms, "crypto_key_versions", key):
                yield described(version, options)


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
