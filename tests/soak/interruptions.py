"""Calls that are cancelled, whose client is closed under them, or whose process forks."""

from __future__ import annotations

import os
import pickle
import signal
import warnings
from collections.abc import Sequence
from dataclasses import replace
from typing import BinaryIO

import anyio
import anyio.lowlevel

from dfns_signers import AsyncDfnsClient, DfnsClient
from tests.soak.drivers import async_client, create, sync_client
from tests.soak.driving import Played, Target, arguments, in_threads, on_a_loop, timed
from tests.soak.verdicts import Outcome

_TURNS = 151
_STRIDE = 7  # few calls are cancelled early and late, too
_CHILDREN = 4
_PATIENCE = 60  # seconds, after which a child that hangs is killed


def _number(label: str) -> int:
    return int(label.rpartition("-")[2])


async def _create_until_cancelled(dfns: AsyncDfnsClient, label: str) -> Outcome:
    """A call that is cancelled at a turn of the event loop, unless it has ended before."""
    async with anyio.create_task_group() as group:

        async def cancel() -> None:
            for _ in range(_number(label) * _STRIDE % _TURNS):
                await anyio.lowlevel.checkpoint()
            group.cancel_scope.cancel()

        group.start_soon(cancel)
        outcome = await create(dfns, label)
        group.cancel_scope.cancel()
        return outcome
    return Outcome(label, is_cancelled=True)


def _cancelled(target: Target, labels: Sequence[str], backend: str) -> Played:
    return on_a_loop(
        labels, lambda: async_client(target), _create_until_cancelled, backend, at_once=2
    )


def cancelled_asyncio_tasks(target: Target, labels: Sequence[str]) -> Played:
    """Each call is cancelled at another turn of the event loop."""
    return _cancelled(target, labels, "asyncio")


def cancelled_trio_tasks(target: Target, labels: Sequence[str]) -> Played:
    return _cancelled(target, labels, "trio")


def closed_under_threads(target: Target, labels: Sequence[str]) -> Played:
    """The client is closed by one of its threads while the others call."""
    dfns = sync_client(target)

    def call(label: str) -> object:
        if _number(label) == len(labels) // 2:
            dfns.close()
        return dfns.wallets.create(**arguments(label))

    try:
        return in_threads(labels, call)
    finally:
        dfns.close()


def closed_under_tasks(target: Target, labels: Sequence[str]) -> Played:
    """The client is closed by one of its tasks while the others call."""

    async def call(dfns: AsyncDfnsClient, label: str) -> Outcome:
        if _number(label) == len(labels) // 2:
            await dfns.aclose()
        return await create(dfns, label)

    return on_a_loop(labels, lambda: async_client(target), call, "asyncio")


def forked(target: Target, labels: Sequence[str]) -> Played:
    """A client that was used before a fork is used by several children at once."""
    with sync_client(target) as dfns:
        outcomes = [_create(dfns, labels[0])]
        pipes = [_in_child(dfns, labels[1 + child :: _CHILDREN]) for child in range(_CHILDREN)]
        for pipe in pipes:
            with pipe:
                outcomes += _received(pipe)
        for _ in pipes:
            os.wait()
    missing = {*labels} - {outcome.label for outcome in outcomes}
    hung = [Outcome(label, error=RuntimeError("a forked child hung")) for label in missing]
    return Played(outcomes + hung)


def _create(dfns: DfnsClient, label: str) -> Outcome:
    return timed(label, lambda: dfns.wallets.create(**arguments(label)))


def _in_child(dfns: DfnsClient, labels: Sequence[str]) -> BinaryIO:
    """Make calls in a forked child; gives the pipe over which the outcomes come."""
    read, write = os.pipe()
    with warnings.catch_warnings():
        # From 3.12 on, a fork beside the threads of emulator and proxy is warned of.
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if child:
        os.close(write)
        return os.fdopen(read, "rb")
    try:
        signal.alarm(_PATIENCE + len(labels) * int(Target.call_timeout + 1))
        with os.fdopen(write, "wb") as pipe:
            for label in labels:
                pipe.write(_pickled(_create(dfns, label)))
                pipe.flush()
    finally:
        os._exit(0)


def _pickled(outcome: Outcome) -> bytes:
    try:
        content = pickle.dumps(outcome)
        pickle.loads(content)
    except Exception:  # noqa: BLE001  # foreign errors need not pickle, nor what nests too deep
        if outcome.error is None:
            return pickle.dumps(replace(outcome, result=[]))
        return pickle.dumps(replace(outcome, error=RuntimeError(repr(outcome.error))))
    return content


def _received(pipe: BinaryIO) -> list[Outcome]:
    outcomes = []
    while True:
        try:
            outcomes.append(pickle.load(pipe))
        except EOFError:
            return outcomes
