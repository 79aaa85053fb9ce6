"""A value that is made when it is first needed, by one thread, once."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

import anyio.to_thread

from dfns_signers import forks
from dfns_signers.errors import SecretRefusedError

T = TypeVar("T")


class Once(Generic[T]):
    """Makes a value at its first use.

    A failure is not kept: the next use tries again. The exception is a secret that was refused and
    locks after a few tries, which is never tried again. A forked child makes a value of its own.

    Args:
        make: makes the value; may block.
    """

    def __init__(self, make: Callable[[], T]) -> None:
        self._make = make
        self._lock = threading.Lock()
        self._value: T | None = None
        self._refusal: SecretRefusedError | None = None
        self._ended = False
        self._of_parent: list[T] = []
        forks.watch(self)

    @property
    def value(self) -> T | None:
        """The value, if it was made."""
        return self._value

    def get(self) -> T | None:
        """The value, made now if it was not; None if this has ended before it was made."""
        with self._lock:
            if self._value is None and not self._ended:
                self._value = self._made()
            return self._value

    async def aget(self) -> T | None:
        """Like ``get``; makes the value in a worker thread."""
        return await anyio.to_thread.run_sync(self.get) if self._value is None else self._value

    def end(self) -> T | None:
        """Make no value from now on; returns the one that was made, for it to be closed.

        Waits for one that is being made, so that none stays open.
        """
        with self._lock:
            self._ended = True
            return self._value

    def after_fork(self) -> None:
        """Make the value anew in a forked child: connections are its parent's."""
        self._lock = threading.Lock()
        if self._value is not None:
            # Kept, so that collecting it does not close what the parent uses.
            self._of_parent.append(self._value)
            self._value = None

    def _made(self) -> T:
        if self._refusal is not None:
            raise self._refusal
        try:
            return self._make()
        except SecretRefusedError as error:
            self._refusal = error
            raise
