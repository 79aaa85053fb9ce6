"""Event loops, threads, and the end of a key."""

from __future__ import annotations

import asyncio
import gc
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
import pytest
from google.cloud.kms_v1 import KeyManagementServiceAsyncClient, KeyManagementServiceClient

from cloud_kms_emulator import CloudKmsEmulator, Fault
from dfns_signers.errors import SigningKeyError
from dfns_signers_gcp_kms.clients import Clients
from dfns_signers_gcp_kms.key import GcpKmsKey
from tests.plugins.gcp_kms.conftest import OpenKey
from tests.plugins.gcp_kms.keys import verify


async def sign_many(key: GcpKmsKey, number: int) -> None:
    messages = [b"%d" % index for index in range(number)]
    signatures = await asyncio.gather(*(key.asign(message) for message in messages))
    for message, signature in zip(messages, signatures, strict=True):
        verify("EC_SIGN_ED25519", key.public_key, signature, message)


def test_key_made_outside_any_loop_signs_in_one_loop_after_the_other(key: GcpKmsKey) -> None:
    for _ in range(3):
        asyncio.run(sign_many(key, 10))
    gc.collect()


def test_key_made_within_a_loop_signs_there_and_in_another_loop(
    open_key: OpenKey, version: str
) -> None:
    async def open_and_sign() -> GcpKmsKey:
        key = await asyncio.to_thread(open_key, version)
        await sign_many(key, 3)
        return key

    key = asyncio.run(open_and_sign())

    asyncio.run(sign_many(key, 3))


def test_key_signs_in_several_loops_at_the_same_time(key: GcpKmsKey) -> None:
    together = threading.Barrier(3)

    def run_loop() -> None:
        async def main() -> None:
            together.wait()
            await sign_many(key, 20)

        asyncio.run(main())

    with ThreadPoolExecutor(3) as pool:
        for done in [pool.submit(run_loop) for _ in range(3)]:
            done.result()


def test_each_loop_has_one_client_and_a_closed_loop_none(
    clients: Clients, cloud_kms: CloudKmsEmulator
) -> None:
    made = []

    def new() -> KeyManagementServiceAsyncClient:
        assert clients.new_async_client is not None
        made.append(clients.new_async_client())
        return made[-1]

    async def twice() -> None:
        assert clients.for_running_loop(new) is clients.for_running_loop(new)

    for _ in range(3):
        asyncio.run(twice())

    assert len(made) == 3
    assert len(clients._by_loop) == 1


def test_key_signs_in_many_threads(key: GcpKmsKey) -> None:
    messages = [b"%d" % number for number in range(200)]

    with ThreadPoolExecutor(8) as pool:
        signatures = list(pool.map(key.sign, messages))

    for message, signature in zip(messages, signatures, strict=True):
        verify("EC_SIGN_ED25519", key.public_key, signature, message)


def test_event_loop_runs_on_while_cloud_kms_is_slow(
    key: GcpKmsKey, cloud_kms: CloudKmsEmulator
) -> None:
    cloud_kms.faults.add(Fault("AsymmetricSign", delay=600.0))

    async def main() -> None:
        signing = asyncio.ensure_future(key.asign(b"m"))
        while len(cloud_kms.faults):  # noqa: ASYNC110  # it is taken in a thread of the server
            await asyncio.sleep(0)
        assert not signing.done()
        signing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await signing

    asyncio.run(main())


@pytest.mark.parametrize("driver", ["sync", "async"])
def test_closed_key_does_not_sign(driver: str, key: GcpKmsKey) -> None:
    async def sign_and_close() -> None:
        await key.asign(b"m")
        await key.aclose()

    if driver == "sync":
        key.sign(b"m")
        key.close()
    else:
        asyncio.run(sign_and_close())

    with pytest.raises(SigningKeyError, match="is closed"):
        key.sign(b"m")


def client_of(cloud_kms: CloudKmsEmulator) -> KeyManagementServiceClient:
    transport: Any = KeyManagementServiceClient.get_transport_class("grpc")
    return KeyManagementServiceClient(
        transport=transport(channel=grpc.insecure_channel(cloud_kms.target))
    )


def test_each_way_of_signing_uses_its_own_client_of_google(
    key: GcpKmsKey, cloud_kms: CloudKmsEmulator
) -> None:
    key.sign(b"m")
    asyncio.run(key.asign(b"m"))

    agents = [call.metadata["user-agent"].split("/")[0] for call in cloud_kms.calls[-2:]]
    assert agents == ["grpc-python", "grpc-python-asyncio"]


def test_injected_client_signs_sync_and_async_and_is_not_closed(
    cloud_kms: CloudKmsEmulator, version: str
) -> None:
    with client_of(cloud_kms) as client:
        key = GcpKmsKey(Clients(client), version)
        signatures = key.sign(b"m"), asyncio.run(key.asign(b"m"))
        key.close()

        again = GcpKmsKey(Clients(client), version).sign(b"m")

    for signature in (*signatures, again):
        verify("EC_SIGN_ED25519", key.public_key, signature, b"m")
