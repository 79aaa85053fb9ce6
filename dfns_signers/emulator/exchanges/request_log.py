"""The exchanges with clients, of which the newest are kept."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from dfns_signers.emulator.requests.messages import Answer, ReceivedRequest

KEPT_REQUESTS: Final = 10_000
KEPT_BYTES: Final = 33_554_432
"""Of paths, queries, headers and bodies of the requests, and of the answers."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request and how it was answered.

    Attributes:
        number: 1 for the first one.
        date: seconds since 1970.
        seconds: that answering took.
        caller: the name of the user or service account; empty if no token says it.
        signing: what was announced or signed, and by which credential; empty if nothing was.
        check: the name of the check that refused; empty if none did.
        reason: what that check said.
    """

    number: int
    date: float
    seconds: float
    request: ReceivedRequest
    answer: Answer
    caller: str = ""
    signing: str = ""
    check: str = ""
    reason: str = ""


@dataclass(slots=True)
class RequestLog:
    """As many of the newest exchanges as the bounds allow, oldest first.

    Attributes:
        kept_requests: how many exchanges there may be.
        kept_bytes: what their requests and answers may have in all.
    """

    kept_requests: int = KEPT_REQUESTS
    kept_bytes: int = KEPT_BYTES
    _exchanges: deque[Exchange] = field(default_factory=deque, repr=False)
    _bytes: int = 0

    def append(self, exchange: Exchange) -> None:
        """Keep an exchange, and forget the oldest ones above the bounds."""
        self._exchanges.append(exchange)
        self._bytes += size_of(exchange)
        while len(self._exchanges) > self.kept_requests or self._bytes > self.kept_bytes:
            self._bytes -= size_of(self._exchanges.popleft())

    def __iter__(self) -> Iterator[Exchange]:
        return iter(self._exchanges)

    def after(self, number: int, most: int) -> list[Exchange]:
        """The newest exchanges with higher numbers, oldest first."""
        found: deque[Exchange] = deque(maxlen=most)
        for exchange in reversed(self._exchanges):
            if exchange.number <= number or len(found) == most:
                break
            found.appendleft(exchange)
        return list(found)


def size_of(exchange: Exchange) -> int:
    """Characters of path, query and headers, and bytes of both bodies."""
    request = exchange.request
    headers = sum(len(name) + len(value) for name, value in request.headers.items())
    return (
        len(request.method)
        + len(request.raw_path)
        + len(request.query)
        + headers
        + len(request.body)
        + len(exchange.answer.content)
    )
