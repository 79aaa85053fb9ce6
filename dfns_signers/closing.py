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
    """Lets work in until it is shut, and releases what the work uses when the last has left."""

    def __init__(self) -> None:
        self._changed = threading.Condition(threading.Lock())
        self._inside: list[int] = []  # the thread of each
        self._shut = False
        self._release: Callable[[], None] | None = None

    @property
    def is_shut(self) -> bool:
        """Whether nothing is let in any more."""
        return self._shut

    def enter(self, *, admitted: bool = False) -> bool:
        """Go in, unless the gate is shut; what got in must ``leave``.

        Args:
            admitted: whether this is work that another thread was let in for. A shut gate lets it
                in as long as nothing was released.
        """
        with self._changed:
            is_open = not self._shut or (admitted and bool(self._inside))
            if is_open:
                self._inside.append(threading.get_ident())
            return is_open

    def leave(self) -> None:
        """Go out. The last one out of a gate that did not wait for it releases."""
        release = None
        with self._changed:
            self._inside.remove(threading.get_ident())
            if not self._inside:
                release, self._release = self._release, None
                self._changed.notify_all()
        if release is not None:
            _release_late(release)

    def shut(self, release: Callable[[], None], *, wait: float) -> None:
        """Let nothing in any more, and release what the work uses; once only.

        Args:
            release: called once nothing is inside, by this call, or by the last one to leave.
            wait: seconds to wait for what is inside. A caller that is inside itself does not wait.
        """
        with self._changed:
            if self._shut:
                return
            self._shut = True
            if threading.get_ident() not in self._inside:
                self._changed.wait_for(lambda: not self._inside, timeout=wait)
            if self._inside:
                self._release = release
                return
        release()


def _release_late(release: Callable[[], None]) -> None:
    try:
        release()
    except Exception:  # noqa: BLE001  # the work that left last must not fail by it
        _log.exception("closing failed after the last signature")
