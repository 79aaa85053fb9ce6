"""An emulator of Cloud KMS for each test, and keys on it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.cloud.kms_v1 import KeyManagementServiceClient

from cloud_kms_emulator import CloudKmsEmulator
from dfns_signers.config import assembly
from dfns_signers.config.loading import load_profile
from dfns_signers.plugin import KeyDescription, RequestLimits
from dfns_signers_gcp_kms.client import GcpKms
from dfns_signers_gcp_kms.key import GcpKmsKey
from tests.plugins.gcp_kms.keys import RING, seed

STRICT = ("-W", "error", "-W", "ignore:You are using a:FutureWarning")
"""Arguments of Python: warnings are errors, but for Google's of a Python that it has given up."""

MAX_ATTEMPTS = RequestLimits().max_attempts

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


class OnItsWay(grpc.UnaryUnaryClientInterceptor):  # type: ignore[type-arg]  # generic in stubs only
    """Sees each request before it is sent: the method, and the seconds that it may take."""

    def __init__(self, see: Callable[[str, float], None]) -> None:
        self._see = see

    def intercept_unary_unary(self, continuation: Any, details: Any, request: Any) -> Any:
        self._see(details.method.rpartition("/")[2], details.timeout)
        return continuation(details, request)


def google_client(
    target: str, see: Callable[[str, float], None] = lambda _method, _timeout: None
) -> KeyManagementServiceClient:
    """Google's client for a service on this machine."""
    channel = grpc.intercept_channel(grpc.insecure_channel(target), OnItsWay(see))
    transport: Any = KeyManagementServiceClient.get_transport_class("grpc")
    return KeyManagementServiceClient(transport=transport(channel=channel))


@pytest.fixture
def open_key(cloud_kms: CloudKmsEmulator) -> Iterator[OpenKey]:
    """Opens a version with a client of its own, which repeats at once, and closes it at the end."""
    with ExitStack() as stack:

        def open_(
            name: str,
            *,
            target: str = cloud_kms.target,
            see: Callable[[str, float], None] = lambda _method, _timeout: None,
            sleep: Callable[[float], None] = lambda _seconds: None,
            clock: Callable[[], float] = time.monotonic,
            generation_timeout: float = 60.0,
            **limits: Any,
        ) -> GcpKmsKey:
            kms = GcpKms(
                google_client(target, see),
                RequestLimits(**limits),
                generation_timeout=generation_timeout,
                owns_client=True,
                sleep=sleep,
                clock=clock,
            )
            stack.enter_context(kms)
            return GcpKmsKey(name, client=kms)

        yield open_


@pytest.fixture
def key(open_key: OpenKey, version: str) -> GcpKmsKey:
    return open_key(version)


def names_of_versions(emulator: CloudKmsEmulator) -> list[str]:
    """The names of all versions of all keys in the location of the tests."""
    with google_client(emulator.target) as client:
        location = RING.partition("/keyRings/")[0]
        return [
            version.name
            for ring in client.list_key_rings(parent=location)
            for key in client.list_crypto_keys(parent=ring.name)
            for version in client.list_crypto_key_versions(parent=key.name)
        ]


def opens(described: KeyDescription) -> bool:
    """Whether the table that comes with a key opens one of its algorithm."""
    with assembly.open_key(load_profile(credential_id="cr-1", signer=described.signer)) as key:
        return key.algorithm is described.algorithm
