"""A key of each algorithm on the Cloud KMS emulator. Needs the extra ``gcp``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final

from cloud_kms_emulator import CloudKmsEmulator
from dfns_signers.algorithms import Algorithm
from dfns_signers_testkit.local_signer import LocalSigner

_RING: Final = "projects/local/locations/global/keyRings/dfns-signers"

_SHOWN: Final = (
    (Algorithm.ED25519, "EC_SIGN_ED25519", "SOFTWARE"),
    (Algorithm.ES256, "EC_SIGN_P256_SHA256", "SOFTWARE"),
    (Algorithm.ES256K, "EC_SIGN_SECP256K1_SHA256", "HSM"),
    (Algorithm.RS256, "RSA_SIGN_PKCS1_2048_SHA256", "SOFTWARE"),
)
"""Algorithm, its name in Cloud KMS, and a protection level that offers it."""


@contextmanager
def local_signers() -> Iterator[Sequence[LocalSigner]]:
    """An emulator with keys on it, in this process; it stops when the context ends."""
    with CloudKmsEmulator() as emulator:
        yield list(seed(emulator).values())


def seed(emulator: CloudKmsEmulator) -> dict[Algorithm, LocalSigner]:
    """Add a version of each algorithm to an emulator that was started."""
    return {shown[0]: _signer(emulator, *shown) for shown in _SHOWN}


def _signer(emulator: CloudKmsEmulator, algorithm: Algorithm, name: str, level: str) -> LocalSigner:
    version = emulator.add_version(
        f"{_RING}/cryptoKeys/{algorithm.lower()}", name, protection_level=level
    )
    return LocalSigner(
        f"Cloud KMS emulator {algorithm} {level}",
        {"backend": "gcp-kms", "key_version": version, "endpoint": emulator.endpoint},
    )
