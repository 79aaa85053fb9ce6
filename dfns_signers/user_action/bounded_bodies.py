"""Bodies of responses, unpacked here and up to a limit, so that no answer fills the memory."""

from __future__ import annotations

import zlib
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, aclosing
from typing import Any, Final

import httpx

from dfns_signers import deadlines

ACCEPTED_ENCODING: Final = "gzip"
"""What requests of ours ask for, as ``Accept-Encoding``."""

_WINDOW_BITS: Final = {
    "gzip": zlib.MAX_WBITS | 16,
    "x-gzip": zlib.MAX_WBITS | 16,
    "deflate": zlib.MAX_WBITS,
}


def limit_body(
    response: httpx.Response, maximum: int, refuse: Callable[[str], Exception] | None = None
) -> httpx.Response:
    """Have a body unpacked up to a limit as it is read.

    Args:
        response: whose body was not read yet. One that was, by an event hook say, stays as it is.
        maximum: bytes, both as sent and unpacked.
        refuse: the error to raise for a body that is longer, damaged, or in an encoding that was
            not asked for; says ``a body …``. None to cut the body there instead.

    Returns:
        The same response.
    """
    response.stream = _LimitedStream(response, maximum, refuse)
    # Unpacked already, when httpx reads it.
    if "Content-Encoding" in response.headers:
        del response.headers["Content-Encoding"]
    return response


class _LimitedStream(httpx.SyncByteStream, httpx.AsyncByteStream):
    """The body of a response, unpacked; ends at its limit."""

    def __init__(
        self, response: httpx.Response, maximum: int, refuse: Callable[[str], Exception] | None
    ) -> None:
        self._inner: Any = response.stream
        self._unpacker = _Unpacker(response.headers.get("Content-Encoding", ""), maximum)
        self._refuse = refuse

    def __iter__(self) -> Iterator[bytes]:
        for piece in self._inner:
            yield self._unpacker.take(piece)
            if self._has_ended():
                return
            if deadlines.remaining() == 0:
                raise httpx.ReadTimeout("the time of the call is over")
        self._unpacker.end()
        self._has_ended()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        pieces = aiter(self._inner)
        async with AsyncExitStack() as stack:
            if hasattr(pieces, "aclose"):
                await stack.enter_async_context(aclosing(pieces))
            async for piece in pieces:
                yield self._unpacker.take(piece)
                if self._has_ended():
                    return
        self._unpacker.end()
        self._has_ended()

    def _has_ended(self) -> bool:
        """Whether the rest is of no use; raises where that is an error."""
        fault = self._unpacker.fault
        if fault and self._refuse:
            raise self._refuse(fault)
        return bool(fault)

    def close(self) -> None:
        self._inner.close()

    async def aclose(self) -> None:
        await self._inner.aclose()


class _Unpacker:
    """Unpacks a body piece by piece.

    Attributes:
        fault: why the body cannot be taken as a whole; empty as long as it can.
    """

    def __init__(self, encoding: str, maximum: int) -> None:
        self.fault = ""
        self._maximum = maximum
        self._received = self._unpacked = 0
        self._decompressor = None
        name = encoding.strip().lower()
        if name in _WINDOW_BITS:
            self._decompressor = zlib.decompressobj(_WINDOW_BITS[name])
        elif name not in {"", "identity"}:
            self.fault = f"a body in the encoding {name[:40]!r}, which was not asked for"

    def take(self, piece: bytes) -> bytes:
        """What the next piece unpacks to, within the limit."""
        if self.fault:
            return b""
        left = self._maximum - self._unpacked
        self._received += len(piece)
        unpacked = self._decompressed(piece, left + 1)
        self._unpacked += min(len(unpacked), left)
        if len(unpacked) > left or self._received > self._maximum:
            self.fault = f"a body of more than {self._maximum:,} bytes"
        return unpacked[:left]

    def end(self) -> None:
        """No piece is left."""
        if self._received and self._decompressor and not self._decompressor.eof:
            self.fault = "a body that ends within its compressed data"

    def _decompressed(self, piece: bytes, most: int) -> bytes:
        if self._decompressor is None:
            return piece
        try:
            return self._decompressor.decompress(piece, most)
        except zlib.error:
            self.fault = "a body whose compressed data is damaged"
            return b""
