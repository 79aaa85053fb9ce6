"""The ``gcp-kms`` backend keeps the contract of backends, on the Cloud KMS emulator."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import ClassVar

import pytest

from cloud_kms_emulator import CloudKmsEmulator
from dfns_signers_testkit.contract import BackendContract, StoreUnderTest

LOCATION = "projects/contract/locations/global"
RING = f"{LOCATION}/keyRings/ring"
DENIED = f"{LOCATION}/keyRings/denied"
KINDS = {
    "Ed25519": ("EC_SIGN_ED25519", "SOFTWARE"),
    "ES256": ("EC_SIGN_P256_SHA256", "SOFTWARE"),
    "ES256K": ("EC_SIGN_SECP256K1_SHA256", "HSM"),
    "RS256": ("RSA_SIGN_PKCS1_2048_SHA256", "SOFTWARE"),
}


class TestCloudKmsEmulator(BackendContract):
    backend = "gcp-kms"
    algorithms = tuple(KINDS)
    options_page = Path(__file__).parents[3] / "docs" / "gcp-kms.md"
    message_limits: ClassVar = {"Ed25519": 65536}
    not_offered: ClassVar = {"secrets": "no credentials are sent to an emulator"}

    @pytest.fixture(scope="class")
    @classmethod
    def store(cls, cloud_kms_emulator: CloudKmsEmulator) -> StoreUnderTest:
        connection = {"endpoint": cloud_kms_emulator.endpoint}
        signers = {
            algorithm: {
                **connection,
                "key_version": cloud_kms_emulator.add_version(
                    f"{RING}/cryptoKeys/{algorithm}", kind, protection_level=level
                ),
            }
            for algorithm, (kind, level) in KINDS.items()
        }
        denied = cloud_kms_emulator.add_version(f"{DENIED}/cryptoKeys/key", "EC_SIGN_P256_SHA256")
        cloud_kms_emulator.deny("*", DENIED)
        missing = f"{RING}/cryptoKeys/missing/cryptoKeyVersions/1"
        return StoreUnderTest(
            signers=signers,
            environment={"NO_GCE_CHECK": "true"},
            missing_key={**connection, "key_version": missing},
            unreachable={
                "endpoint": "http://127.0.0.1:9",
                "key_version": missing,
                "max_attempts": 1,
            },
            denied={**connection, "key_version": denied},
            create=lambda _: {
                **connection,
                "crypto_key": f"{RING}/cryptoKeys/created-{secrets.token_hex(4)}",
            },
            list_keys={**connection, "parent": RING},
        )
