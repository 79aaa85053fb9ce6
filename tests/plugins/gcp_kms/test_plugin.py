"""The entry point: light until a key is opened, and with keys to show."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.metadata import distribution
from pathlib import Path

from typer.testing import CliRunner

import dfns_signers_gcp_kms
from dfns_signers.cli.app import app
from dfns_signers.discovery import installed_plugins, load_backend, local_signers
from dfns_signers_gcp_kms.backend import GcpKmsBackend
from dfns_signers_gcp_kms.options import GcpKmsOptions
from tests.plugins.gcp_kms.conftest import STRICT

SDK = ("google.cloud", "google.auth", "google.api_core", "grpc", "google_crc32c")

LIGHT = f"""
import sys
from pathlib import Path
from dfns_signers.discovery import installed_plugins, load_backend
installed_plugins()
assert "dfns_signers_gcp_kms" not in sys.modules
backend = load_backend("gcp-kms")
backend.options(key_version="projects/p/locations/l/keyRings/r/cryptoKeys/k/cryptoKeyVersions/1")
print([name for name in {SDK!r} if name in sys.modules])
"""


def test_backend_is_found_by_its_entry_point() -> None:
    (info,) = [one for one in installed_plugins() if one.name == "gcp-kms"]

    assert info.distribution == "dfns-signers-gcp-kms"
    assert isinstance(load_backend("gcp-kms"), GcpKmsBackend)


def test_selecting_the_backend_and_checking_its_options_imports_nothing_of_google() -> None:
    result = subprocess.run(
        [sys.executable, *STRICT, "-c", LIGHT], capture_output=True, text=True, check=True
    )

    assert result.stdout == "[]\n"


def test_local_signers_are_a_key_of_each_algorithm_on_the_emulator() -> None:
    with local_signers("gcp-kms") as signers:
        found = []
        for signer in signers:
            table = {name: value for name, value in signer.signer.items() if name != "backend"}
            with GcpKmsBackend().open(GcpKmsOptions.model_validate(table)) as key:
                key.sign(b"m")
                found.append((str(key.algorithm), "HSM" in signer.name))

    assert found == [("Ed25519", False), ("ES256", False), ("ES256K", True), ("RS256", False)]


def test_demo_shows_a_row_for_each_algorithm() -> None:
    result = CliRunner().invoke(app, ["demo", "--with", "gcp-kms", "--json"])

    assert result.exit_code == 0, result.output
    rows = [row for row in json.loads(result.stdout) if row["backend"] == "gcp-kms"]
    assert [row["algorithm"] for row in rows] == ["Ed25519", "ES256", "ES256K", "RS256"]
    assert all(row["sync"] and row["async"] and row["delegated"] for row in rows)


def test_package_is_marked_as_typed_and_has_one_console_script() -> None:
    scripts = distribution("dfns-signers-gcp-kms").entry_points.select(group="console_scripts")

    assert (Path(dfns_signers_gcp_kms.__file__).parent / "py.typed").exists()
    assert [script.name for script in scripts] == ["dfns-gcp-kms-emulator"]
    assert callable(next(iter(scripts)).load())
