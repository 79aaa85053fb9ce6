"""Versions of a crypto key: which can sign, now or soon; wait for one, create one."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import Any

from google.cloud.kms_v1 import CryptoKeyVersion

from dfns_signers.plugin import Algorithm, KeyDescription, KeyPendingError, errors
from dfns_signers_gcp_kms.algorithms import ALGORITHMS, algorithm_name, enum_name
from dfns_signers_gcp_kms.client import GcpKms
from dfns_signers_gcp_kms.names import split
from dfns_signers_gcp_kms.options import GcpKmsConnection

_PENDING = "PENDING_GENERATION"


def add_version(kms: GcpKms, crypto_key: str) -> CryptoKeyVersion:
    """Create a version, and wait until it can sign."""
    task = f"create a version of the crypto key {crypto_key}"
    made = kms.call(task, "create_crypto_key_version", {"parent": crypto_key}, repeat=False)
    return once_enabled(kms, made)


def once_enabled(kms: GcpKms, version: CryptoKeyVersion) -> CryptoKeyVersion:
    """A version when it can sign: at once, if it is enabled.

    Raises:
        KeyStateError: it is not enabled within ``generation_timeout``.
        SigningKeyError: Cloud KMS refused or failed.
    """
    if state_of(version) == "ENABLED":
        return version
    look = partial(_enabled, kms, version.name)
    enabled: CryptoKeyVersion = kms.once_ready(look, timeout=kms.generation_timeout)
    return enabled


def usable(versions: Iterable[CryptoKeyVersion]) -> list[CryptoKeyVersion]:
    """Those that are enabled or being generated, by number."""
    can_sign = (one for one in versions if state_of(one) in {"ENABLED", _PENDING})
    return sorted(can_sign, key=_number)


def is_pending(version: CryptoKeyVersion) -> bool:
    """Whether a version is still being generated."""
    return state_of(version) == _PENDING


def following(
    versions: Iterable[CryptoKeyVersion], current: CryptoKeyVersion
) -> CryptoKeyVersion | None:
    """The usable version with the lowest number above another one, of the same algorithm."""
    above = (one for one in usable(versions) if _number(one) > _number(current))
    algorithm = algorithm_of(current)
    return next((one for one in above if algorithm_of(one) is algorithm), None)


def algorithm_of(message: Any) -> Algorithm | None:
    """What Dfns calls the algorithm of a version or template; None if it does not accept it."""
    known = ALGORITHMS.get(algorithm_name(message))
    return known.algorithm if known else None


def level_of(message: Any) -> str:
    """The protection level of a version or template."""
    return enum_name(message, "protection_level")


def state_of(version: CryptoKeyVersion) -> str:
    """The state of a version, by its name in the API."""
    return enum_name(version, "state")


def described(version: CryptoKeyVersion, options: GcpKmsConnection) -> KeyDescription:
    """A version, with the table that opens it in the way that the options say."""
    algorithm = algorithm_of(version)
    how = options.given(GcpKmsConnection)
    return KeyDescription(
        reference=version.name,
        algorithm=algorithm,
        kind=f"{algorithm_name(version)} ({level_of(version)})",
        state=state_of(version),
        signer={"backend": "gcp-kms", "key_version": version.name, **how} if algorithm else {},
    )


def _number(version: CryptoKeyVersion) -> int:
    return int(split(version.name)[1])


def _enabled(kms: GcpKms, name: str) -> CryptoKeyVersion:
    task = f"read the key {name}, which was created"
    version: CryptoKeyVersion = kms.call(task, "get_crypto_key_version", {"name": name})
    state = state_of(version)
    if state != "ENABLED":
        raise (KeyPendingError if is_pending(version) else errors.KeyStateError)(
            f"the key {name} was created and cannot sign yet: it is {state}. Look at it again with "
            "'dfns-signers keys list', or raise generation_timeout"
        )
    return version
