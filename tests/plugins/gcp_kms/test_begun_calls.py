"""Signatures that are begun in an event loop, on a connection of the key's own."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from queue import Queue
from typing import Any

import anyio
import pytest

from cloud_kms_emulator import CloudKmsEmulator, Fault
from dfns_signers.errors import KeyStateError, KeyStoreUnavailableError, SigningKeyError
from dfns_signers.plugin import deadlines
from dfns_signers.signing_key import Signature, SigningKey
from dfns_signers_gcp_kms.client import connect
from dfns_signers_gcp_kms.errors import DamagedAnswerError
from dfns_signers_gcp_kms.key import GcpKmsKey
from dfns_signers_gcp_kms.options import GcpKmsConnection
from dfns_signers_gcp_kms.plugin import GcpKmsBackend
from tests.plugins.gcp_kms.conftest import MAX_ATTEMPTS
from tests.plugins.gcp_kms.keys import SIGNING, seed, verify
from tests.plugins.gcp_kms.test_integrity import SIGNATURE_DAMAGE
from tests.plugins.gcp_kms.test_undecodable import cutting

SECONDS = 10
"""No test waits for longer."""

BACKENDS = pytest.mark.parametrize("backend", ["asyncio", "trio"])

OpenOwn = Callable[..., SigningKey]


@pytest.fixture
def open_own(cloud_kms: CloudKmsEmulator) -> Iterator[OpenOwn]:
    """Opens versions as the configuration does; closes them at the end."""
    with ExitStack() as stack:

        def open_(name: str, endpoint: str = cloud_kms.endpoint, **options: Any) -> SigningKey:
            backend = GcpKmsBackend()
            table = {"key_version": name, "endpoint": endpoint, **options}
            return stack.enter_context(backend.open(backend.options.model_validate(table)))

        yield open_


async def until_calls(emulator: CloudKmsEmulator, number: int) -> None:
    def wait() -> None:
        for _ in range(100 * SECONDS):
            if len(emulator.calls) >= number:
                return
            threading.Event().wait(0.01)
        raise AssertionError("the call did not arrive")

    await anyio.to_thread.run_sync(wait)


def evidence_of(key: SigningKey) -> Any:
    return anyio.run(key.asign_with_evidence, b"m").evidence


@BACKENDS
@pytest.mark.parametrize("algorithm", SIGNING)
def test_each_algorithm_signs(
    algorithm: str, backend: str, cloud_kms: CloudKmsEmulator, open_own: OpenOwn
) -> None:
    key = open_own(seed(cloud_kms, algorithm))

    verify(algorithm, key.public_key, anyio.run(key.asign, b"m", backend=backend), b"m")


def test_request_is_that_of_google_s_client(
    cloud_kms: CloudKmsEmulator, version: str, open_own: OpenOwn
) -> None:
    key = open_own(version)
    key.sign(b"m")
    anyio.run(key.asign, b"m")

    waited, begun = (call for call in cloud_kms.calls if call.method == "AsymmetricSign")

    assert begun.request == waited.request
    assert begun.metadata == waited.metadata
    assert "x-goog-request-params" in begun.metadata


@BACKENDS
def test_signatures_that_wait_for_an_answer_hold_no_thread(
    backend: str, cloud_kms: CloudKmsEmulator, version: str, open_own: OpenOwn
) -> None:
    key = open_own(version)
    cloud_kms.faults.add(Fault("AsymmetricSign", delay=300.0))

    async def main() -> list[str]:
        before = set(threading.enumerate())
        async with anyio.create_task_group() as signing:
            signing.start_soon(key.asign, b"m")
            await until_calls(cloud_kms, len(cloud_kms.calls) + 1)
            begun = set(threading.enumerate()) - before
            signing.cancel_scope.cancel()
        return [thread.name for thread in begun]

    names = anyio.run(main, backend=backend)
    cloud_kms.stop()

    assert "dfns-signers" not in names


def test_evidence_counts_the_attempts(
    cloud_kms: CloudKmsEmulator, version: str, open_own: OpenOwn
) -> None:
    key = open_own(version)
    cloud_kms.faults.add(
        Fault("AsymmetricSign", status="UNAVAILABLE"),
        Fault("AsymmetricSign", status="RESOURCE_EXHAUSTED"),
    )

    assert evidence_of(key).attempts == 3
    assert evidence_of(key).attempts == 1


def test_last_failure_is_reported_with_its_attempt(
    cloud_kms: CloudKmsEmulator, version: str, open_own: OpenOwn
) -> None:
    key = open_own(version)
    cloud_kms.faults.add(*[Fault("AsymmetricSign", status="UNAVAILABLE")] * MAX_ATTEMPTS)

    with pytest.raises(KeyStoreUnavailableError, match=r"UNAVAILABLE.*\(attempt 3 of 3\)"):
        anyio.run(key.asign, b"m")

    assert len(cloud_kms.faults) == 0


@pytest.mark.parametrize(("algorithm", "corrupt", "said"), SIGNATURE_DAMAGE)
def test_damage_is_detected_and_mended_by_asking_again(
    algorithm: str, corrupt: str, said: str, cloud_kms: CloudKmsEmulator, open_own: OpenOwn
) -> None:
    key = open_own(seed(cloud_kms, algorithm), max_attempts=2)
    cloud_kms.faults.add(*[Fault("AsymmetricSign", corrupt=corrupt)] * 3)

    with pytest.raises(DamagedAnswerError, match=said):
        anyio.run(key.asign, b"m")

    assert evidence_of(key).attempts == 2


def test_answer_that_does_not_decode_is_asked_for_again(
    cloud_kms: CloudKmsEmulator, version: str, open_own: OpenOwn
) -> None:
    with cutting(cloud_kms, 1) as target:
        assert evidence_of(open_own(version, f"http://{target}")).attempts == 2


def test_state_is_read_where_a_refusal_does_not_say_it(
    cloud_kms: CloudKmsEmulator, version: str, open_own: OpenOwn
) -> None:
    key = open_own(version)
    cloud_kms.faults.add(Fault("AsymmetricSign", status="FAILED_PRECONDITION", message="no"))

    with pytest.raises(KeyStateError, match=r"it is ENABLED: .*no"):
        anyio.run(key.asign, b"m")


@BACKENDS
def test_call_that_cloud_kms_cancels_is_an_error_and_no_cancellation(
    backend: str, cloud_kms: CloudKmsEmulator, version: str, open_own: OpenOwn
) -> None:
    key = open_own(version)
    cloud_kms.faults.add(Fault("AsymmetricSign", status="CANCELLED"))

    with pytest.raises(SigningKeyError, match=r"CANCELLED: .*Cloud KMS did not carry it out"):
        anyio.run(key.asign, b"m", backend=backend)


@pytest.mark.parametrize(("timeout", "of_the_call"), [(0.3, None), (30, 0.3)])
def test_call_that_hangs_ends_with_the_time_of_the_operation_or_of_its_caller(
    timeout: float,
    of_the_call: float | None,
    cloud_kms: CloudKmsEmulator,
    version: str,
    open_own: OpenOwn,
) -> None:
    key = open_own(version, timeout=timeout)
    cloud_kms.faults.add(*[Fault("AsymmetricSign", delay=300.0)] * 5)

    with (
        deadlines.within(of_the_call),
        pytest.raises(KeyStoreUnavailableError, match=r"no answer in time.*\(attempt 1 of 3\)"),
    ):
        asyncio.run(key.asign(b"m"))

    cloud_kms.stop()


@BACKENDS
def test_signature_whose_caller_is_cancelled_is_made_and_shown_and_closing_waits_for_it(
    backend: str, cloud_kms: CloudKmsEmulator, version: str, open_own: OpenOwn
) -> None:
    key = open_own(version)
    cloud_kms.faults.add(Fault("AsymmetricSign", delay=1.0))
    shown: Queue[Signature | Exception] = Queue()

    async def sign() -> None:
        await key.asign_with_evidence(b"m", abandoned=shown.put)

    async def main() -> None:
        async with anyio.create_task_group() as signing:
            signing.start_soon(sign)
            await until_calls(cloud_kms, len(cloud_kms.calls) + 1)
            signing.cancel_scope.cancel()
        await key.aclose()

    anyio.run(main, backend=backend)

    signature = shown.get(timeout=SECONDS)
    assert isinstance(signature, Signature)
    assert signature.evidence.abandoned
    verify("EC_SIGN_ED25519", key.public_key, signature.value, b"m")


def test_connection_that_is_closed_meanwhile_is_named_as_the_cause(
    cloud_kms: CloudKmsEmulator, version: str
) -> None:
    kms = connect(GcpKmsConnection(endpoint=cloud_kms.endpoint))
    key = GcpKmsKey(version, client=kms)
    cloud_kms.faults.add(Fault("AsymmetricSign", delay=300.0))

    async def close_while_signing() -> BaseException:
        signing = asyncio.create_task(key.asign(b"m"))
        await until_calls(cloud_kms, len(cloud_kms.calls) + 1)
        kms.close()
        (failure,) = await asyncio.gather(signing, return_exceptions=True)
        assert isinstance(failure, BaseException)
        return failure

    failures = [asyncio.run(close_while_signing())]
    with pytest.raises(SigningKeyError, match="Google's client is closed: open the key again"):
        asyncio.run(key.asign(b"m"))
    cloud_kms.stop()

    assert {type(failure) for failure in failures} == {SigningKeyError}
    assert "Channel closed" in str(failures[0])
