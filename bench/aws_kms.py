"""AWS KMS: a signature, opening a key, a hundred of them, many signatures at a time, memory."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import time
import uuid
from collections.abc import Awaitable, Callable, Iterator
from contextlib import closing
from typing import Any, Final

import anyio.to_thread
import boto3
from botocore.config import Config
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from bench.fakes.aws_kms import running
from bench.measuring import Effort, Samples, Spread, child, in_turns
from bench.table import Goal, Row
from dfns_signers.plugin import SigningKey, deadlines
from dfns_signers_aws_kms.options import AwsKmsOptions
from dfns_signers_aws_kms.plugin import AwsKmsBackend

_MESSAGE: Final = b'{"type":"key.get","challenge":"' + b"x" * 140 + b'"}'
_DELAY: Final = 0.05
_FAKE: Final = "a server in a process of its own, P-256, http on the loopback interface"

_SETTINGS: Final = {
    "AWS_ACCESS_KEY_ID": "bench",
    "AWS_SECRET_ACCESS_KEY": "bench",
    "AWS_DEFAULT_REGION": "eu-west-1",
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
}

_PREAMBLE: Final = """
import json, os, sys, time
from bench.resident import resident
"""

_HUNDRED: Final = """
from bench.aws_kms import opened
first = opened(sys.argv[1])
begin = time.process_time()
keys = [opened(sys.argv[1]) for _ in range(100)]
print(json.dumps([time.process_time() - begin, resident()]))
"""

_BARE: Final = """
import boto3, hashlib, uuid
client = boto3.client("kms", endpoint_url=sys.argv[1])
arn = f"arn:aws:kms:eu-west-1:111122223333:key/{uuid.uuid4()}"
def sign():
    digest = hashlib.sha256(b"x" * 170).digest()
    client.sign(
        KeyId=arn, Message=digest, MessageType="DIGEST", SigningAlgorithm="ECDSA_SHA_256"
    )
"""

_OURS: Final = """
import uuid
from dfns_signers import load_signer
arn = f"arn:aws:kms:eu-west-1:111122223333:key/{uuid.uuid4()}"
os.environ["DFNS_SIGNER"] = f"aws-kms:?key_id={arn}&endpoint_url={sys.argv[1]}"
os.environ["DFNS_CREDENTIAL_ID"] = "Y2ktM3E5Y2Y"
signer = load_signer()
def sign():
    signer.key.sign(b"x" * 170)
"""

_SERVICE: Final = """
marks = []
for number in map(int, sys.argv[2:]):
    for _ in range(number):
        sign()
    marks.append(resident())
print(json.dumps(marks))
"""


def rows(effort: Effort) -> Iterator[Row]:
    """The rows of this area."""
    os.environ.update(_SETTINGS)
    with running() as url:
        yield from _signature(effort, url)
        yield from _hundred_keys(effort, url)
        yield _growth(effort, url)
    with running(_DELAY) as url:
        yield _opening(effort, url)
        yield from _concurrent(effort, url)


def opened(url: str) -> SigningKey:
    """A key as the configuration opens it."""
    return AwsKmsBackend().open(AwsKmsOptions(key_id=_arn(), endpoint_url=url))


def _by_boto3(url: str) -> Callable[[], bytes]:
    """A signature by boto3 alone."""
    client: Any = boto3.client("kms", endpoint_url=url, config=Config(max_pool_connections=64))
    arn = _arn()

    def sign() -> bytes:
        answer = client.sign(
            KeyId=arn,
            Message=hashlib.sha256(_MESSAGE).digest(),
            MessageType="DIGEST",
            SigningAlgorithm="ECDSA_SHA_256",
        )
        return bytes(answer["Signature"])

    return sign


def _arn() -> str:
    return f"arn:aws:kms:eu-west-1:111122223333:key/{uuid.uuid4()}"


def _signature(effort: Effort, url: str) -> Iterator[Row]:
    key, sign = opened(url), _by_boto3(url)
    public_key: Any = key.public_key

    def verified() -> None:
        public_key.verify(sign(), _MESSAGE, ec.ECDSA(hashes.SHA256()))

    def in_a_call() -> None:
        with deadlines.within(60):
            key.sign(_MESSAGE)

    with closing(key):
        samples = in_turns(
            {
                "ours": lambda: key.sign(_MESSAGE),
                "ours in a call": in_a_call,
                "boto3": sign,
                "boto3 + verify": verified,
            },
            rounds=effort.of(100),
            calls=20,
        )
    beside = {name: samples.of(name, factor=1e3) for name in ("boto3", "boto3 + verify")}
    how = f"{effort.of(100)} rounds of 20; {_FAKE}"
    name = "AWS signature, sync"
    goal = Goal(at_most=0.95)
    yield Row(name, samples.of("ours", factor=1e3), "ms CPU", how, beside, goal)
    speed = samples.speed("ours", beside="boto3 + verify")
    yield Row(f"{name}, speed", speed, "of boto3 + verify", how, goal=Goal(at_least=1.03))
    in_call = samples.of("ours in a call", factor=1e3)
    yield Row(f"{name}, in a call with a deadline", in_call, "ms CPU", how, beside)


def _hundred_keys(effort: Effort, url: str) -> Iterator[Row]:
    code = _PREAMBLE + _HUNDRED
    runs = [json.loads(child(["-c", code, url]).output) for _ in range(effort.of(5))]
    name, how = "AWS keys, 100 by configuration", f"{len(runs)} processes, after the first key"
    seconds = Spread.of(cpu for cpu, _ in runs)
    yield Row(name, seconds, "s CPU", how, goal=Goal(at_most=1))
    megabytes = Spread.of(memory for _, memory in runs).times(1e-6)
    how = f"{len(runs)} processes, all that is resident"
    yield Row(f"{name}, memory", megabytes, "MB", how, goal=Goal(at_most=110))


def _growth(effort: Effort, url: str) -> Row:
    many = effort.of(100_000)
    grown = {}
    for name, code in (("boto3", _BARE), ("ours", _OURS)):
        arguments = ["-c", _PREAMBLE + code + _SERVICE, url, "500", str(many)]
        begin, end = json.loads(child(arguments).output)
        grown[name] = Spread.of([(end - begin) / 1e6])
    how = f"one process each; by {many:,} signatures after the first 500; {_FAKE}"
    beside = {"boto3": grown["boto3"]}
    return Row("AWS memory, growth", grown["ours"], "MB", how, beside, Goal(at_most=1))


def _opening(effort: Effort, url: str) -> Row:
    def by_boto3() -> None:
        arn = _arn()
        with closing(boto3.Session().client("kms", endpoint_url=url)) as client:
            client.get_public_key(KeyId=arn)
            message = hashlib.sha256(_MESSAGE).digest()
            client.sign(
                KeyId=arn,
                Message=message,
                MessageType="DIGEST",
                SigningAlgorithm="ECDSA_SHA_256",
            )

    samples = in_turns(
        {"ours": lambda: opened(url).close(), "boto3, GetPublicKey and Sign": by_boto3},
        rounds=effort.of(20),
        calls=1,
        clock=time.perf_counter,
    )
    name = "boto3, GetPublicKey and Sign"
    how = f"{effort.of(20)} rounds, each with a client of its own; answers after 50 ms; {_FAKE}"
    beside = {name: samples.of(name, factor=1e3)}
    what = "AWS key, opening, 50 ms round trips"
    return Row(what, samples.of("ours", factor=1e3), "ms", how, beside, Goal(at_most=170))


async def _burst(sign: Callable[[], Awaitable[object]], number: int) -> tuple[float, float, float]:
    """Signatures a second; seconds that the loop was late at worst; threads borrowed at most."""
    limiter = anyio.to_thread.current_default_thread_limiter()
    late, borrowed, is_over = [0.0], [0], False

    async def watch() -> None:
        while not is_over:
            begin = time.perf_counter()
            await asyncio.sleep(0.001)
            late.append(time.perf_counter() - begin - 0.001)
            borrowed.append(int(limiter.borrowed_tokens))

    watching = asyncio.create_task(watch())
    await asyncio.sleep(0.01)
    begin = time.perf_counter()
    await asyncio.gather(*(sign() for _ in range(number)))
    taken = time.perf_counter() - begin
    is_over = True
    await watching
    return number / taken, max(late), max(borrowed)


def _concurrent(effort: Effort, url: str) -> Iterator[Row]:
    number, rounds = 200, effort.of(20)
    key, sign = opened(url), _by_boto3(url)
    subjects: dict[str, Callable[[], Awaitable[object]]] = {
        "ours": lambda: key.asign(_MESSAGE),
        "boto3 in anyio's threads": lambda: anyio.to_thread.run_sync(sign),
    }
    rate, stall, borrowed = (Samples(subjects) for _ in range(3))

    async def measure() -> None:
        for turn in range(-1, rounds):
            for name, subject in subjects.items():
                figures = await _burst(subject, number)
                for samples, figure in zip((rate, stall, borrowed), figures, strict=True):
                    if turn >= 0:
                        samples.add(name, figure)

    with closing(key):
        asyncio.run(measure())
    how = f"{rounds} bursts after a first; answers after 50 ms; {_FAKE}"
    what = "AWS signature, async, 200 at once, 50 ms round trips"
    for samples, name, unit, factor, goal in (
        (rate, "", "/s", 1.0, None),
        (stall, ", longest stall of the event loop", "ms", 1e3, Goal(at_most=25)),
        (borrowed, ", threads of the application", "threads", 1.0, Goal(at_most=0)),
    ):
        beside = {each: samples.of(each, factor=factor) for each in subjects if each != "ours"}
        spread = samples.of("ours", factor=factor)
        yield Row(f"{what}{name}", spread, unit, how, beside, goal)
