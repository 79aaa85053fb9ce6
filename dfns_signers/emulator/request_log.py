"""The requests that were received, of which the newest are kept."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from dfns_signers.emulator.messages import ReceivedRequest

KEPT_REQUESTS: Final = 10_000
KEPT_BYTES: Final = 33_554_432
"""Of paths, queries, headers and bodies."""


@dataclass(slots=True)
class RequestLog:
    """As many of the newest requests as the bounds allow, oldest first.

    Attributes:
        kept_requests: how many requests there may be.
        kept_bytes: what their paths, queries, headers and bodies may have in all.
    """

    kept_requests: int = KEPT_REQUESTS
    kept_bytes: int = KEPT_BYTES
    _requests: deque[ReceivedRequest] = field(default_factory=deque, repr=False)
    _bytes: int = 0

    def append(self, request: ReceivedRequest) -> None:
        """Keep a request, and forget the oldest ones above the bounds."""
        self._requests.append(request)
        self._bytes += size_of(request)
        while len(self._requests) > self.kept_requests or self._bytes > self.kept_bytes:
            self._bytes -= size_of(self._requests.popleft())

    def __iter__(self) -> Iterator[ReceivedRequest]:
        return iter(self._requests)


def size_of(request: ReceivedRequest) -> int:
    """Characters of path, query and headers, and bytes of the body."""
    headers = sum(len(name) + len(value) for name, value in request.headers.items())
    return (
        len(request.method)
        + len(request.raw_path)
        + len(request.query)
        + headers
        + len(request.body)
    )
