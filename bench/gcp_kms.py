"""Signatures of Cloud KMS, beside Google's own client that checks as much, on the emulator."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

import google_crc32c
import grpc
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from google.cloud.kms_v1 import KeyManagementServiceAsyncClient, KeyManagementServiceClient

from bench.fakes import started
from bench.measuring import Effort, in_turns
from bench.table import Goal, Row
from dfns_signers_gcp_kms.client import connect
from dfns_signers_gcp_kms.key import GcpKmsKey
from dfns_signers_gcp_kms.options import GcpKmsConnection

_KEY: Final = "projects/p/locations/l/keyRings/r/cryptoKeys/k"
_VERSION: Final = f"{_KEY}/cryptoKeyVersions/1"
_TIMEOUT: Final = 13.0
_MESSAGE: Final = b"message"
_AT_ONCE: Final = (1, 20, 100)
_IN_A_TURN: Final = 200
_ECDSA: Final = ec.ECDSA(hashes.SHA256())
_CHECKED: Final = "bare + crc + verify"


def rows(effort: Effort) -> Iterator[Row]:
    """One signature after the other, and many at once in an event loop."""
    with _emulator() as target, _key(target) as key:
        yield _one_by_one(key, target, effort)
        for number in _AT_ONCE:
            yield _at_once(key, target, effort, number)


def _one_by_one(key: GcpKmsKey, target: str, effort: Effort) -> Row:
    transport = KeyManagementServiceClient.get_transport_class("grpc")
    channel = grpc.insecure_channel(target)
    client: Any = KeyManagementServiceClient(transport=transport(channel=channel))

    def bare() -> Any:
        return client.asymmetric_sign(request=_request(), retry=None, timeout=_TIMEOUT)

    subjects: dict[str, Callable[[], object]] = {
        "ours": lambda: key.sign(_MESSAGE),
        "bare": bare,
        _CHECKED: lambda: _check(key, bare()),
    }
    rounds, calls = effort.of(25), effort.of(200)
    samples = in_turns(subjects, rounds=rounds, calls=calls)
    return Row(
        "GCP signature, sync, P-256",
        samples.speed("ours", beside=_CHECKED),
        f"of {_CHECKED}",
        f"{rounds} rounds of {calls}, CPU time; emulator in another process, without TLS",
        {"bare": samples.speed("bare", beside=_CHECKED)},
        Goal(at_least=0.90),
    )


def _at_once(key: GcpKmsKey, target: str, effort: Effort, number: int) -> Row:
    transport = KeyManagementServiceAsyncClient.get_transport_class("grpc_asyncio")
    rounds, bursts = effort.of(25), effort.of(_IN_A_TURN // number)
    loop = asyncio.new_event_loop()

    async def make_client() -> Any:
        channel: Any = grpc.aio.insecure_channel(target)
        return KeyManagementServiceAsyncClient(transport=transport(channel=channel))

    client = loop.run_until_complete(make_client())

    async def checked() -> None:
        answer = await client.asymmetric_sign(request=_request(), retry=None, timeout=_TIMEOUT)
        _check(key, answer)

    async def turn(sign: Callable[[], Awaitable[object]]) -> None:
        for _ in range(bursts):
            await asyncio.gather(*(sign() for _ in range(number)))

    subjects = {
        "ours": lambda: loop.run_until_complete(turn(lambda: key.asign(_MESSAGE))),
        _CHECKED: lambda: loop.run_until_complete(turn(checked)),
    }
    samples = in_turns(subjects, rounds=rounds, calls=1)
    loop.run_until_complete(client.transport.close())
    loop.close()
    return Row(
        f"GCP signature, async, {number} at once, P-256",
        samples.speed("ours", beside=_CHECKED),
        f"of {_CHECKED}",
        f"{rounds} rounds of {bursts} bursts, CPU time; beside Google's asyncio client",
        goal=Goal(at_least=0.90),
    )


def _request() -> dict[str, Any]:
    digest = hashlib.sha256(_MESSAGE).digest()
    return {
        "name": _VERSION,
        "digest": {"sha256": digest},
        "digest_crc32c": google_crc32c.value(digest),
    }


def _check(key: GcpKmsKey, answer: Any) -> None:
    """What Google's integrity procedure asks for, and the signature itself."""
    is_whole = answer.signature_crc32c == google_crc32c.value(answer.signature)
    if not (answer.name == _VERSION and answer.verified_digest_crc32c and is_whole):
        raise ValueError("damaged")
    public_key: Any = key.public_key
    public_key.verify(answer.signature, _MESSAGE, _ECDSA)


def _key(target: str) -> GcpKmsKey:
    return GcpKmsKey(_VERSION, client=connect(GcpKmsConnection(endpoint=f"http://{target}")))


@contextmanager
def _emulator() -> Iterator[str]:
    arguments = ["--listen", "127.0.0.1:0", "--key", f"{_KEY}=EC_SIGN_P256_SHA256"]
    with started("cloud_kms_emulator", *arguments) as line:
        yield json.loads(line)["target"]
