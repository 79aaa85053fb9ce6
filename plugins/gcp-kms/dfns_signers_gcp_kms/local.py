"""A key of each algorithm on the emulator, made for the moment."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final

from dfns_signers.hooks import LocalSigner
from dfns_signers_gcp_kms.algorithms import ALGORITHMS
from dfns_signers_gcp_kms.emulator import CloudKmsEmulator

_RING: Final = "projects/local/locations/global/keyRings/dfns-signers"
_SHOWN: Final = (
    "EC_SIGN_ED25519",
    "EC_SIGN_P256_SHA256",
    "EC_SIGN_SECP256K1_SHA256",
    "RSA_SIGN_PKCS1_2048_SHA256",
)


@contextmanager
def emulated_signers() -> Iterator[Sequence[LocalSigner]]:
    """An emulator with keys on it, in this process; stopped at the end."""
    with CloudKmsEmulator() as emulator:
        yield [_signer(emulator, kind) for kind in _SHOWN]


def _signer(emulator: CloudKmsEmulator, kind: str) -> LocalSigner:
    known = ALGORITHMS[kind]
    version = emulator.add_version(
        f"{_RING}/cryptoKeys/{known.algorithm.lower()}", kind, protection_level=known.level
    )
    return LocalSigner(
        f"Cloud KMS emulator {known.algorithm} {known.level}",
        {"backend": "gcp-kms", "key_version": version, "endpoint": emulator.endpoint},
    )
