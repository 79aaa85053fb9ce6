"""A key that is closed while it signs, and a call that is cancelled."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotDone
from typing import Any

import anyio
import pytest

from cloud_kms_emulator import CloudKmsEmulator, Fault
from dfns_signers.errors import KeyStateError, SigningKeyError
from dfns_signers_gcp_kms.client import GcpKms
from dfns_signers_gcp_kms.key import GcpKmsKey
from tests.plugins.gcp_kms.conftest import OpenKey, google_client
from tests.plugins.gcp_kms.keys import verify

SECONDS = 10
"""No test waits for longer."""

CLOSED_MEANWHILE = "Cannot invoke RPC: Channel closed!"


class Holding:
    """Holds signatures back before they are sent."""

    def __init__(self) -> None:
        self.arrived = threading.Event()
        self.go = threading.Event()

    def __call__(self, method: str, _timeout: float) -> None:
        if method == "AsymmetricSign":
            self.arrived.set()
            assert self.go.wait(SECONDS)


@pytest.fixture
def holding() -> Iterator[Holding]:
    held = Holding()
    yield held
    held.go.set()


@pytest.fixture
def held_key(open_key: OpenKey, version: str, holding: Holding) -> GcpKmsKey:
    return open_key(version, see=holding)


def test_closing_waits_for_the_signature_under_way(held_key: GcpKmsKey, holding: Holding) -> None:
    with ThreadPoolExecutor(2) as pool:
        signing = pool.submit(held_key.sign, b"m")
        assert holding.arrived.wait(SECONDS)
        closing = pool.submit(held_key.close)
        with pytest.raises(NotDone):
            closing.result(0.1)
        holding.go.set()

        closing.result(SECONDS)
        verify("EC_SIGN_ED25519", held_key.public_key, signing.result(SECONDS), b"m")

    with pytest.raises(SigningKeyError, match="is closed"):
        held_key.sign(b"m")


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_event_loop_runs_on_while_cloud_kms_is_slow_and_the_caller_can_be_cancelled(
    backend: str, held_key: GcpKmsKey, holding: Holding
) -> None:
    async def main() -> bool:
        with anyio.move_on_after(SECONDS):
            async with anyio.create_task_group() as signing:
                signing.start_soon(held_key.asign, b"m")
                await anyio.to_thread.run_sync(holding.arrived.wait, SECONDS)
                signing.cancel_scope.cancel()
        cancelled_early = not holding.go.is_set()
        holding.go.set()
        await held_key.aclose()
        return cancelled_early

    assert anyio.run(main, backend=backend)


def test_key_closed_between_two_attempts_finishes_the_signature(
    cloud_kms: CloudKmsEmulator, version: str, open_key: OpenKey
) -> None:
    key: GcpKmsKey = open_key(version, sleep=lambda _seconds: key.close())
    cloud_kms.faults.add(Fault("AsymmetricSign", status="UNAVAILABLE"))

    verify("EC_SIGN_ED25519", key.public_key, key.sign(b"m"), b"m")

    with pytest.raises(SigningKeyError, match="is closed"):
        key.sign(b"m")


def test_call_that_cloud_kms_cancels_is_an_error_and_no_cancellation(
    cloud_kms: CloudKmsEmulator, key: GcpKmsKey
) -> None:
    cloud_kms.faults.add(Fault("AsymmetricSign", status="CANCELLED"))

    with pytest.raises(SigningKeyError, match=r"CANCELLED: .*Cloud KMS did not carry it out"):
        anyio.run(key.asign, b"m")


def test_client_of_the_caller_is_not_closed_with_the_key(
    cloud_kms: CloudKmsEmulator, version: str
) -> None:
    with google_client(cloud_kms.target) as client:
        with GcpKmsKey(version, client=client) as key:
            key.sign(b"m")

        again = GcpKmsKey(version, client=client).sign(b"m")

    verify("EC_SIGN_ED25519", key.public_key, again, b"m")


def test_client_that_its_owner_closed_is_named_as_the_cause(
    cloud_kms: CloudKmsEmulator, version: str
) -> None:
    with google_client(cloud_kms.target) as client:
        key = GcpKmsKey(version, client=client)

    with pytest.raises(SigningKeyError, match="Google's client is closed: open the key again"):
        key.sign(b"m")


def test_client_that_is_closed_during_signatures_is_named_as_the_cause(
    cloud_kms: CloudKmsEmulator, version: str
) -> None:
    """In many threads, for grpc words it in several ways."""
    for _ in range(20):
        client: Any = google_client(cloud_kms.target)
        key = GcpKmsKey(version, client=client)
        with ThreadPoolExecutor(8) as pool:
            signing = [pool.submit(key.sign, b"m") for _ in range(40)]
            client.transport.close()
            failures = [error for one in signing if (error := one.exception())]

        assert {type(error) for error in failures} <= {SigningKeyError}
        assert all("report it to the author" not in str(error) for error in failures)


@pytest.mark.parametrize("text", ["Cannot invoke RPC on closed channel!", CLOSED_MEANWHILE])
def test_each_way_in_which_grpc_words_a_closed_channel_is_understood(
    text: str, cloud_kms: CloudKmsEmulator, version: str
) -> None:
    def refuse(method: str, _timeout: float) -> None:
        if method == "AsymmetricSign":
            raise ValueError(text)

    key = GcpKmsKey(version, client=google_client(cloud_kms.target, refuse))

    with pytest.raises(SigningKeyError, match="Google's client is closed: open the key again"):
        key.sign(b"m")


def test_keys_that_share_a_connection_close_for_themselves(
    cloud_kms: CloudKmsEmulator, version: str
) -> None:
    with google_client(cloud_kms.target) as client:
        kms = GcpKms(client)
        one, other = (GcpKmsKey(version, client=kms) for _ in range(2))
        one.close()

        verify("EC_SIGN_ED25519", other.public_key, other.sign(b"m"), b"m")


def test_refusal_stands_where_the_client_is_closed_before_the_state_is_read(
    cloud_kms: CloudKmsEmulator, version: str
) -> None:
    def close(method: str, _timeout: float) -> None:
        if method == "GetCryptoKeyVersion":
            client.transport.close()

    client: Any = google_client(cloud_kms.target, close)
    key = GcpKmsKey(version, client=client)
    cloud_kms.faults.add(Fault("AsymmetricSign", status="FAILED_PRECONDITION", message="not so"))

    with pytest.raises(KeyStateError, match=r"not so; its state could not be read \(.*closed"):
        key.sign(b"m")
