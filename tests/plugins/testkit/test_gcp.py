"""The Cloud KMS emulator with keys to show."""

from __future__ import annotations

from cloud_kms_emulator import CloudKmsEmulator
from dfns_signers.config.assembly import open_key
from dfns_signers.config.loading import load_profile
from dfns_signers_testkit.gcp import local_signers
from tests.core.cli.support import Command


def test_demonstration_has_a_key_of_each_algorithm_and_a_level_that_offers_it() -> None:
    with local_signers() as signers:
        found = []
        for signer in signers:
            with open_key(load_profile(credential_id="cr-1", signer=signer.signer)) as key:
                key.sign(b"m")
                found.append((str(key.algorithm), "HSM" in signer.name))

    assert found == [("Ed25519", False), ("ES256", False), ("ES256K", True), ("RS256", False)]


def test_demo_shows_a_row_for_each_algorithm(command: Command) -> None:
    result = command("demo", "--with", "gcp-kms", "--json")

    assert result.code == 0, result.err
    rows = [row for row in result.json if row["backend"] == "gcp-kms"]
    assert [row["algorithm"] for row in rows] == ["Ed25519", "ES256", "ES256K", "RS256"]
    assert all(row["sync"] and row["async"] and row["delegated"] for row in rows)


def test_fixture_is_a_running_emulator(cloud_kms_emulator: CloudKmsEmulator) -> None:
    ring = "projects/p/locations/l/keyRings/r"
    version = cloud_kms_emulator.add_version(f"{ring}/cryptoKeys/k", "EC_SIGN_P256_SHA256")
    table = {"backend": "gcp-kms", "key_version": version, "endpoint": cloud_kms_emulator.endpoint}

    with open_key(load_profile(credential_id="cr-1", signer=table)) as key:
        assert str(key.algorithm) == "ES256"
