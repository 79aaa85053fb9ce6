"""An emulator of Cloud KMS for each test, and keys on it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from cloud_kms_emulator import CloudKmsEmulator
from dfns_signers_gcp_kms.clients import Clients
from dfns_signers_gcp_kms.key import GcpKmsKey
from dfns_signers_gcp_kms.options import ConnectionOptions
from dfns_signers_gcp_kms.retrying import RetryPolicy
from tests.plugins.gcp_kms.keys import seed

QUICK = RetryPolicy(timeout=30.0, max_attempts=3, first_pause=0.0)
"""Repeats at once, so that no test waits."""

STRICT = ("-W", "error", "-W", "ignore:You are using a:FutureWarning")
"""Arguments of Python: warnings are errors, but for Google's of a Python that it has given up."""

OpenKey = Callable[..., GcpKmsKey]


@pytest.fixture(autouse=True)
def _no_google_credentials_of_this_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CLOUDSDK_CONFIG", str(tmp_path / "no-gcloud"))
    monkeypatch.setenv("NO_GCE_CHECK", "true")


@pytest.fixture
def cloud_kms() -> Iterator[CloudKmsEmulator]:
    with CloudKmsEmulator() as emulator:
        yield emulator


@pytest.fixture
def version(cloud_kms: CloudKmsEmulator) -> str:
    """An enabled Ed25519 version."""
    return seed(cloud_kms, "EC_SIGN_ED25519")


@pytest.fixture
def clients(cloud_kms: CloudKmsEmulator) -> Iterator[Clients]:
    connected = Clients.connect(ConnectionOptions(endpoint=cloud_kms.endpoint))
    yield connected
    connected.close()


@pytest.fixture
def open_key(cloud_kms: CloudKmsEmulator) -> Iterator[OpenKey]:
    """Opens a version with clients of its own, and closes them at the end."""
    with ExitStack() as stack:

        def open_(name: str, policy: RetryPolicy = QUICK, **options: Any) -> GcpKmsKey:
            connected = Clients.connect(ConnectionOptions(endpoint=cloud_kms.endpoint, **options))
            stack.callback(connected.close)
            return GcpKmsKey(connected, name, policy=policy)

        yield open_


@pytest.fixture
def key(open_key: OpenKey, version: str) -> GcpKmsKey:
    return open_key(version)
