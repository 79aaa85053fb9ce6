"""Hooks of asynchronous calls: plain functions, which may well wait for something."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

from dfns_signers import worker_threads
from dfns_signers.abandoned_signatures import if_cancelled
from dfns_signers.errors import DfnsSignersError

if TYPE_CHECKING:
    from concurrent.futures import Future

IfLeft: TypeAlias = "Callable[[Future[None]], object]"
"""Hears, in a worker thread, how hooks ended whose caller was cancelled meanwhile."""


def _nothing(_done: Future[None]) -> None:
    """Nobody wants to know."""


async def run_hooks(
    run: Callable[..., None],
    *arguments: object,
    may_block: bool,
    if_left: IfLeft = _nothing,
) -> None:
    """Run hooks; they end also if the caller is cancelled: an observer hears of each signature.

    Args:
        run: runs them.
        arguments: of ``run``.
        may_block: whether a worker thread runs them.
        if_left: called behind them if the caller is cancelled.

    Raises:
        SigningRefusedError: a guard refuses.
        DfnsSignersError: there is no thread to be had.
    """
    if not may_block:
        run(*arguments)
        return
    running = worker_threads.submit(run, *arguments)
    with if_cancelled(lambda: worker_threads.when_done(running, if_left)):
        await worker_threads.finished(running)
    running.result()


async def run_observers(
    observe: Callable[..., None],
    *arguments: object,
    may_block: bool,
    if_left: IfLeft = _nothing,
) -> None:
    """The same for observers, which hear of it also where there is no thread to be had."""
    try:
        await run_hooks(observe, *arguments, may_block=may_block, if_left=if_left)
    except DfnsSignersError:
        observe(*arguments)
