"""The Cloud KMS emulator with keys to show."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path

import pytest

from cloud_kms_emulator import CloudKmsEmulator
from cloud_kms_emulator.command_line import main as cloud_kms_command
from dfns_signers.algorithms import Algorithm
from dfns_signers.config.assembly import open_key
from dfns_signers.config.loading import load_profile
from dfns_signers.errors import KeyStateError
from dfns_signers_testkit.gcp import local_signers
from tests.core.cli.support import Command
from tests.plugins.testkit.served import Served
from tests.support import ROOT


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


def test_printed_profiles_work_as_they_are(tmp_path: Path) -> None:
    with Served(tmp_path, "gcp-emulator") as served:
        for algorithm in Algorithm:
            name = f"local-gcp-{algorithm.lower()}"
            with open_key(load_profile(name, config=served.printed)) as key:
                assert key.algorithm is algorithm
                key.sign(b"m")


def test_key_of_the_serve_script_is_disabled_from_a_shell(tmp_path: Path) -> None:
    place = ["--key", "es256", "--keyring", "dfns-signers"]
    place += ["--location", "global", "--project", "local"]
    with Served(tmp_path, "gcp-emulator") as served:
        endpoint = f"http://127.0.0.1:{served.port}"

        cloud_kms_command(["versions", "disable", "1", *place, "--endpoint", endpoint])

        with pytest.raises(KeyStateError, match="it is DISABLED"):
            open_key(load_profile("local-gcp-es256", config=served.printed))


def test_serve_script_whose_port_is_taken_says_so_in_one_line() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])

        done = subprocess.run(
            [sys.executable, "localstack/serve_gcp.py", "--port", port],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )

    assert done.returncode == 1
    assert f"the emulator cannot listen on 127.0.0.1:{port}" in done.stderr.splitlines()[-1]
