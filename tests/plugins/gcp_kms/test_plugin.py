"""The entry point: light until a key is opened."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import dfns_signers_gcp_kms
from dfns_signers.discovery import installed_plugins, load_backend
from dfns_signers_gcp_kms.plugin import GcpKmsBackend
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


def test_package_is_marked_as_typed() -> None:
    assert (Path(dfns_signers_gcp_kms.__file__).parent / "py.typed").exists()
