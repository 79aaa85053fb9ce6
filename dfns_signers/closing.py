"""``with`` and ``async with`` for whatever has ``close`` and ``aclose``."""

from __future__ import annotations

from types import TracebackType

from typing_extensions import Self


class Closing:
    """Closes at the end of a ``with`` block."""

    def close(self) -> None:
        """Release what is held."""
        raise NotImplementedError

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


class AsyncClosing:
    """Closes at the end of an ``async with`` block."""

    async def aclose(self) -> None:
        """Release what is held, from within an event loop."""
        raise NotImplementedError

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.aclose()
