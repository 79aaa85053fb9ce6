"""The service that the contract is about: the emulator, or the real one where it is named.

DFNS_TEST_GCP_PROJECT and DFNS_TEST_GCP_LOCATION point the contract tests at Google. Keys there cost
money, and key rings and keys cannot be deleted; versions are scheduled for destruction.
"""

from __future__ import annotations

import asyncio
import os
import time
import uuid
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from typing import Any, Protocol, TypeAlias, TypeVar

import google.auth
import grpc
import pytest
from google.api_core.exceptions import AlreadyExists
from google.cloud.kms_v1 import (
    CryptoKey,
    CryptoKeyVersion,
    KeyManagementServiceAsyncClient,
    KeyManagementServiceClient,
)

from cloud_kms_emulator import CloudKmsEmulator
from tests.plugins.gcp_kms.keys import level_of, seed

Client: TypeAlias = Any
"""A client of Google's: its annotations leave out the mappings that it takes for messages."""

State = CryptoKeyVersion.CryptoKeyVersionState
T = TypeVar("T")

RING_ID = "dfns-signers-contract"
"""The key ring of the contract tests: every version in it is destroyed at their end."""

SERVICE = "/google.cloud.kms.v1.KeyManagementService/"


class Service(Protocol):
    """A Cloud KMS to test."""

    client: Client
    location: str

    def version(self, algorithm: str) -> str:
        """An enabled version, shared by the tests."""

    def call_async(self, call: Callable[[Client], Awaitable[T]]) -> T:
        """Call with the asyncio client, in an event loop made for it."""


def plain_client(target: str) -> Client:
    """Google's blocking client over a plaintext channel."""
    client: Client = KeyManagementServiceClient
    transport = client.get_transport_class("grpc")
    return client(transport=transport(channel=grpc.insecure_channel(target)))


def raw_call(target: str, method: str, request: bytes) -> bytes:
    """What a client in any language sends and receives."""
    with grpc.insecure_channel(target) as channel:
        call = channel.unary_unary(f"{SERVICE}{method}", bytes, bytes)
        return bytes(call(request))


class EmulatedService:
    """The emulator, driven by Google's clients."""

    location = "projects/p-1/locations/europe-west1"

    def __init__(self, emulator: CloudKmsEmulator) -> None:
        self._emulator = emulator
        self.client = plain_client(emulator.target)
        self.version = cache(self._version)

    def _version(self, algorithm: str) -> str:
        name = f"{self.location}/keyRings/{RING_ID}/cryptoKeys/{algorithm}"
        return seed(self._emulator, algorithm, name)

    def call_async(self, call: Callable[[Client], Awaitable[T]]) -> T:
        async def run() -> T:
            asyncio_client: Client = KeyManagementServiceAsyncClient
            transport = asyncio_client.get_transport_class("grpc_asyncio")
            async with grpc.aio.insecure_channel(self._emulator.target) as channel:
                return await call(asyncio_client(transport=transport(channel=channel)))

        return asyncio.run(run())


class GoogleService:
    """The real one, with Application Default Credentials."""

    def __init__(self, project: str, location: str) -> None:
        self.location = f"projects/{project}/locations/{location}"
        # Loaded once, for each test hides the credentials of this machine.
        self.credentials = google.auth.default()[0]
        self.client: Client = KeyManagementServiceClient(credentials=self.credentials)
        self.version = cache(self._version)

    def _version(self, algorithm: str) -> str:
        key = create_key(self.client, f"{self.location}/keyRings/{RING_ID}", algorithm)
        version = self.client.create_crypto_key_version(parent=key.name, crypto_key_version={})
        wait_until_enabled(self.client, version.name)
        return str(version.name)

    def call_async(self, call: Callable[[Client], Awaitable[T]]) -> T:
        async def run() -> T:
            return await call(KeyManagementServiceAsyncClient(credentials=self.credentials))

        return asyncio.run(run())


def unique(prefix: str) -> str:
    """An id that no test used before: names of keys cannot be used again."""
    return f"{prefix}-{uuid.uuid4().hex[:12]}"


def create_key(client: Client, ring: str, algorithm: str) -> CryptoKey:
    """A new crypto key without versions."""
    return client.create_crypto_key(  # type: ignore[no-any-return]
        request={
            "parent": ring,
            "crypto_key_id": unique("key"),
            "crypto_key": {
                "purpose": "ASYMMETRIC_SIGN",
                "version_template": {
                    "algorithm": algorithm,
                    "protection_level": level_of(algorithm),
                },
            },
            "skip_initial_version_creation": True,
        }
    )


def wait_until_enabled(client: Client, version: str) -> None:
    """Generation takes no time on the emulator, and seconds to minutes at Google."""
    end = time.monotonic() + 300
    while client.get_crypto_key_version(name=version).state != State.ENABLED:
        assert time.monotonic() < end, f"{version} was not generated in time"
        time.sleep(1)


@contextmanager
def chosen_service() -> Iterator[Service]:
    project = os.environ.get("DFNS_TEST_GCP_PROJECT")
    if project is not None:
        yield GoogleService(project, os.environ["DFNS_TEST_GCP_LOCATION"])
        return
    with CloudKmsEmulator() as emulator:
        yield EmulatedService(emulator)


@pytest.fixture(scope="session")
def service() -> Iterator[Service]:
    with chosen_service() as chosen, chosen.client:
        with suppress(AlreadyExists):
            chosen.client.create_key_ring(parent=chosen.location, key_ring_id=RING_ID, key_ring={})
        yield chosen
        destroy_all(chosen.client, f"{chosen.location}/keyRings/{RING_ID}")


def destroy_all(client: Client, ring: str) -> None:
    """Schedule the destruction of every version: keys stay for ever, and cost nothing."""
    for key in client.list_crypto_keys(parent=ring):
        for version in client.list_crypto_key_versions(parent=key.name):
            if version.state in {State.ENABLED, State.DISABLED}:
                client.destroy_crypto_key_version(name=version.name)


@pytest.fixture(scope="session")
def ring(service: Service) -> str:
    """A key ring for keys that a test creates."""
    return f"{service.location}/keyRings/{RING_ID}"


@pytest.fixture
def cloud_kms() -> Iterator[CloudKmsEmulator]:
    """An emulator of the test's own."""
    with CloudKmsEmulator() as emulator:
        yield emulator


@pytest.fixture
def version(cloud_kms: CloudKmsEmulator) -> str:
    """An enabled Ed25519 version."""
    return seed(cloud_kms, "EC_SIGN_ED25519")


@pytest.fixture
def client(cloud_kms: CloudKmsEmulator) -> Iterator[Client]:
    """Google's client on an emulator of the test's own: for faults, denials and time."""
    with plain_client(cloud_kms.target) as plain:
        yield plain
