"""How much of a rate limit is used by clients that always have calls waiting."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from bench.measuring import Effort, Spread
from bench.table import Goal, Row
from dfns_signers.emulator import Emulator
from dfns_signers.public_keys import public_key_pem
from tests.support.rate_limited_callers import Order, Report, run
from tests.support.redis_servers import PROGRAMS, redis_server

_LIMIT: Final = 600
_PROCESSES: Final = 4
_MINUTE: Final = 60
_SECONDS: Final = 72  # more than a window with its margin, and the requests after it


def rows(effort: Effort) -> Iterator[Row]:  # noqa: ARG001  # a minute is a minute
    """All at once, for they wait nearly all the time."""
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor() as threads:
        key = Ed25519PrivateKey.generate()
        path = Path(folder, "key.pem")
        path.touch(0o600)
        path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        arguments = (str(path), public_key_pem(key.public_key()))
        alone = threads.submit(_alone, *arguments)
        shared = {kind: threads.submit(_shared, kind, *arguments) for kind in PROGRAMS}
        yield _row("one process", alone.result())
        for kind, report in shared.items():
            yield _row(f"{_PROCESSES} processes on {kind}", report.result())


def _alone(path: str, public_key: str) -> Report:
    return _run(path, public_key, [("", True)])


def _shared(kind: str, path: str, public_key: str) -> Report:
    with redis_server(kind) as server:
        return _run(path, public_key, [(server.url, bool(n % 2)) for n in range(_PROCESSES)])


def _run(path: str, public_key: str, processes: Sequence[tuple[str, bool]]) -> Report:
    """The report of processes, each with its store and whether it is asynchronous."""
    with Emulator(credentials={"cr-1": public_key}, rate_limit=_LIMIT) as emulator:
        url, token = emulator.url, emulator.auth_token
        report = run(
            [
                Order(url, token, path, _LIMIT, _SECONDS, store=store, is_async=is_async)
                for store, is_async in processes
            ]
        )
    if report.refused:
        raise RuntimeError(f"the emulator refused {report.refused} calls with 429")
    return report


def _row(what: str, report: Report) -> Row:
    # How long it takes until as many requests as the limit has have followed a request.
    spans = [last - first for first, last in zip(report.ends, report.ends[_LIMIT:], strict=False)]
    return Row(
        what=f"use of the rate limit, {what}",
        ours=Spread.of(100 * _MINUTE / span for span in spans),
        unit="%",
        goal=Goal(at_least=95),
        how=f"{_LIMIT} requests a minute, {_SECONDS} s, half of the calls signed, against an "
        f"emulator that answers 429 above the limit in any minute; there was no 429; "
        f"{len(spans)} minutes that begin with a request",
    )
