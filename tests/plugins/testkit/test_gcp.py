"""The Cloud KMS emulator with keys to show."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from cloud_kms_emulator import CloudKmsEmulator
from cloud_kms_emulator.command_line import main as cloud_kms_command
from dfns_signers.algorithms import Algorithm
from dfns_signers.config.assembly import open_key
from dfns_signers.config.loading import load_profile
from dfns_signers.errors import KeyStateError
from dfns_signers_testkit.gcp import local_signers
from dfns_signers_testkit.servers import free_port
from tests.core.cli.support import Command
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


@pytest.fixture
def serving() -> Iterator[tuple[subprocess.Popen[str], int]]:
    """``localstack/serve_gcp.py`` in a process of its own."""
    port = free_port()
    command = [sys.executable, "localstack/serve_gcp.py", "--port", str(port)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        yield process, port
        process.kill()


def profiles_of(process: subprocess.Popen[str]) -> str:
    """What the script prints: a table for each algorithm, which the endpoint ends."""
    assert process.stdout
    lines: list[str] = []
    while sum(line.startswith("endpoint") for line in lines) < len(Algorithm):
        lines.append(process.stdout.readline())
    return "".join(lines)


def test_serve_script_prints_profiles_that_work_as_they_are_pasted_and_ends_on_ctrl_c(
    serving: tuple[subprocess.Popen[str], int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in os.environ if name.startswith(("DFNS_", "GOOGLE_"))]:
        monkeypatch.delenv(name)
    process, port = serving
    config = tmp_path / "config.toml"
    config.write_text(profiles_of(process), encoding="utf-8")

    for algorithm in Algorithm:
        loaded = load_profile(f"local-gcp-{algorithm.lower()}", config=config)
        with open_key(loaded) as key:
            assert key.algorithm is algorithm
            key.sign(b"m")
    process.send_signal(signal.SIGINT)

    assert process.wait(30) == 0
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", port)) != 0


def test_key_of_the_serve_script_is_disabled_from_a_shell(
    serving: tuple[subprocess.Popen[str], int], tmp_path: Path
) -> None:
    process, port = serving
    config = tmp_path / "config.toml"
    config.write_text(profiles_of(process), encoding="utf-8")
    place = ["--key", "es256", "--keyring", "dfns-signers"]
    place += ["--location", "global", "--project", "local"]

    cloud_kms_command(
        ["versions", "disable", "1", *place, "--endpoint", f"http://127.0.0.1:{port}"]
    )

    with pytest.raises(KeyStateError, match="it is DISABLED"):
        open_key(load_profile("local-gcp-es256", config=config))


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
