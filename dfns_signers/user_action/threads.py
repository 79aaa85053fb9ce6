"""Where signers and token providers without an asynchronous form run."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import anyio.to_thread

R = TypeVar("R")


async def run_in_thread(function: Callable[..., R], *args: object) -> R:
    """What a function returns that may block, run in a worker thread."""
    # In a tuple, for trio refuses a coroutine as what a thread returns.
    (value,) = await anyio.to_thread.run_sync(lambda: (function(*args),))
    return value
