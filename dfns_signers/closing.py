"""Closing: ``with`` and ``async with``, and a gate that waits for what is under way."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Final

from typing_extensions import Self

_log: Final = logging.getLogger(__name__)


class Closing:
    """Closes at the end of a ``with`` block."""

    def close(self) -> None:
        """Release what is held."""
        raise NotImplementedError

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()


class AsyncClosing:
    """Closes at the end of an ``async with`` block."""

    async def aclose(self) -> None:
        """Release what is held, from within an event loop."""
        raise NotImplementedError

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_error: object) -> None:
        await self.aclose()


class Gate:
    """Lets work in until it is shut, and releases what the work uses when the last has left.

    Work takes no lock while the gate is open: it is inside before it looks whether the gate is
    shut, and the gate is shut before ``shut`` looks for work inside, so that one sees the other.
    """

    def __init__(self) -> None:
        # Re-entrant, for the handler of a signal may shut a gate that its own thread goes through.
        self._lock = threading.RLock()
        self._changed = threading.Condition(self._lock)
        self._inside: dict[object, int] = {}  # the thread of each that is inside, by its ticket
        self._shut = False
        self._is_awaited = False
        self._release: Callable[[], None] | None = None

    @property
    def is_shut(self) -> bool:
        """Whether nothing is let in any more."""
        return self._shut

    def enter(self, admitted: bool = False) -> object | None:
        """Go in, unless the gate is shut.

        Args:
            admitted: whether this is work that another thread was let in for. A shut gate lets it
                in as long as nothing was released.

        Returns:
            A ticket to ``leave`` with, in this or another thread; None if the gate is shut.
        """
        if self._shut and not admitted:
            return None
        ticket = object()
        self._inside[ticket] = threading.get_ident()
        if not self._shut:
            return ticket
        with self._lock:
            # What is released from here on is left to this ticket.
            if admitted and self._release is not None:
                return ticket
        self.leave(ticket)
        return None

    def leave(self, ticket: object) -> None:
        """Go out. The last one out of a gate that nobody waits at releases."""
        went_in = self._inside.pop(ticket, None)  # not in this process, if before a fork
        if went_in is None or not self._shut:
            return
        release = None
        with self._lock:
            if not self._inside:
                self._changed.notify_all()
                if not self._is_awaited:
                    release, self._release = self._release, None
        if release is not None:
            release_logged(release)

    def shut(self, release: Callable[[], None], *, wait: float) -> None:
        """Let nothing in any more, and release what the work uses; once only.

        Args:
            release: called once nothing is inside, by this call, or by the last one to leave.
            wait: seconds to wait for what is inside. A caller that is inside itself does not wait.
        """
        due = None
        try:
            with self._lock:
                if self._shut:
                    return
                self._shut, self._release = True, release
                try:
                    # A copy, for work goes out without the lock.
                    if threading.get_ident() not in self._inside.copy().values():
                        self._is_awaited = True
                        self._changed.wait_for(lambda: not self._inside, timeout=wait)
                finally:  # also after Ctrl-C
                    self._is_awaited = False
                    if not self._inside:
                        due, self._release = self._release, None
        finally:
            if due is not None:
                due()

    def after_fork(self) -> None:
        """Forget, in a forked child, the work of its parent's threads."""
        self._lock = threading.RLock()
        self._changed = threading.Condition(self._lock)
        self._inside.clear()


def release_logged(release: Callable[[], None]) -> None:
    """Release what the caller did not come for, and must not fail by."""
    try:
        release()
    except Exception:  # noqa: BLE001  # a backend's may be any
        _log.exception("closing failed")
