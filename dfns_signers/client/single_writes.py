"""Streams that send the head of a request and its body at once, which httpcore writes apart.

Each write costs a system call, and the server a wake-up.
"""

from __future__ import annotations

from typing import Any, Final

import httpcore

_MOST: Final = 65_536  # bytes that are held back


class _Held:
    """Bytes that were written and not yet sent."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self._length = 0

    def add(self, piece: bytes) -> bool:
        """Whether what is held is to be sent: it is much, or an empty piece ended the request."""
        self._pieces.append(piece)
        self._length += len(piece)
        return not piece or self._length > _MOST

    def take(self) -> bytes:
        """All of it."""
        pieces, self._pieces, self._length = self._pieces, [], 0
        return b"".join(pieces)


class SingleWrites(httpcore.NetworkStream):
    """Sends what is written when the request is complete, or its answer is read."""

    def __init__(self, stream: httpcore.NetworkStream) -> None:
        self._stream = stream
        self._held = _Held()

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Read, once all that was written is sent."""
        if held := self._held.take():
            self._stream.write(held, timeout)
        return self._stream.read(max_bytes, timeout)

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Send, or hold back."""
        if self._held.add(buffer):
            self._stream.write(self._held.take(), timeout)

    def close(self) -> None:
        """Close, and send nothing more."""
        self._stream.close()

    def get_extra_info(self, info: str) -> Any:
        """What the stream says of itself."""
        return self._stream.get_extra_info(info)


class AsyncSingleWrites(httpcore.AsyncNetworkStream):
    """The same for asyncio and trio."""

    def __init__(self, stream: httpcore.AsyncNetworkStream) -> None:
        self._stream = stream
        self._held = _Held()

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Read, once all that was written is sent."""
        if held := self._held.take():
            await self._stream.write(held, timeout)
        return await self._stream.read(max_bytes, timeout)

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Send, or hold back."""
        if self._held.add(buffer):
            await self._stream.write(self._held.take(), timeout)

    async def aclose(self) -> None:
        """Close, and send nothing more."""
        await self._stream.aclose()

    def get_extra_info(self, info: str) -> Any:
        """What the stream says of itself."""
        return self._stream.get_extra_info(info)
