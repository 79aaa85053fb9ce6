"""A request leaves in one piece, whole and in order, before its answer is read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import anyio
import httpcore
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dfns_signers.client.single_writes import AsyncSingleWrites, SingleWrites

READ = None
STEPS = st.lists(st.binary(max_size=40_000) | st.just(READ), max_size=12)


class Recorded(httpcore.NetworkStream):
    def __init__(self) -> None:
        self.writes: list[bytes] = []
        self.sent_at_reads: list[bytes] = []

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self.writes.append(buffer)

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        self.sent_at_reads.append(b"".join(self.writes))
        return b"answer"


class AsyncRecorded(httpcore.AsyncNetworkStream):
    def __init__(self, recorded: Recorded) -> None:
        self._recorded = recorded

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ASYNC109
        self._recorded.write(buffer)

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109
        return self._recorded.read(max_bytes)


def taken(kind: str, steps: Sequence[bytes | None]) -> Recorded:
    """What a stream below sees of the steps."""
    recorded = Recorded()
    if kind == "blocking":
        stream = SingleWrites(recorded)
        for step in steps:
            if step is READ:
                stream.read(1)
            else:
                stream.write(step)
        return recorded

    async def run() -> None:
        stream = AsyncSingleWrites(AsyncRecorded(recorded))
        for step in steps:
            await (stream.read(1) if step is READ else stream.write(step))

    anyio.run(run)
    return recorded


@pytest.mark.parametrize("kind", ["blocking", "asynchronous"])
@pytest.mark.parametrize(
    "steps", [[b"head", b"body", b"", READ], [b"head", b"body", READ]], ids=["ended", "read"]
)
def test_head_and_body_are_one_write(kind: str, steps: Any) -> None:
    assert [piece for piece in taken(kind, steps).writes if piece] == [b"headbody"]


@given(steps=STEPS)
@pytest.mark.parametrize("kind", ["blocking", "asynchronous"])
def test_everything_written_is_sent_in_order_before_a_read(
    kind: str, steps: list[bytes | None]
) -> None:
    seen = taken(kind, steps)

    before_reads = [
        b"".join(step for step in steps[:index] if step is not READ)
        for index, step in enumerate(steps)
        if step is READ
    ]
    assert seen.sent_at_reads == before_reads


@pytest.mark.parametrize("kind", ["blocking", "asynchronous"])
def test_long_request_is_not_held_back_as_a_whole(kind: str) -> None:
    assert len(taken(kind, [bytes(40_000)] * 10).writes) > 1
