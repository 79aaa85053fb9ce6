"""A fault proxy: stands between a client and an HTTP server, and does to requests what a plan says.

A plan sees each request and names a fault of ``tests.support.faults``, or None to pass it on.
"""

from __future__ import annotations

import socket
import threading
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from random import Random
from typing import Protocol
from urllib.parse import urlsplit

import h11

from tests.support.exchange import Answer, Exchange, Request
from tests.support.faults import FAULTS
from tests.support.tcp_server import HOST, TcpServer

Plan = Callable[[Request], str | None]


class Labels(Protocol):
    """Knows the call that a request belongs to."""

    def __call__(self, request: Request) -> tuple[str, str]:
        """The label of the call, and the step of it."""

    def learn(self, request: Request, answer: Answer) -> None:
        """Note the upstream's answer to a request."""


class NoLabels:
    """Takes all requests for one call, whose steps are their paths."""

    def __call__(self, request: Request) -> tuple[str, str]:
        return "", request.target.partition("?")[0]

    def learn(self, request: Request, answer: Answer) -> None:
        """There is nothing to know."""


def no_faults(request: Request) -> None:
    """The plan that passes everything on."""


@dataclass(frozen=True)
class SeededPlan:
    """Draws a fault for a request from the seed, its call and its place in the call alone.

    The same seed so gives a call the same faults, whichever calls run beside it.

    Attributes:
        kinds: names of faults to draw from.
        rate: the share of requests that meet a fault.
    """

    seed: int
    kinds: Sequence[str]
    rate: float

    def __call__(self, request: Request) -> str | None:
        draw = Random(f"{self.seed}/{request.label}/{request.ordinal}")
        return draw.choice(self.kinds) if draw.random() < self.rate else None


@dataclass(frozen=True)
class Passage:
    """What became of a request.

    Attributes:
        fault: what was done to it, if anything.
        reached: statuses with which the upstream answered it, one for each time that it was sent.
    """

    request: Request
    fault: str | None
    reached: Sequence[int]


class FaultProxy(TcpServer):
    """Forwards HTTP/1.1 requests to ``upstream``, whole ones alone, one connection for each.

    Args:
        upstream: URL of a server on this machine.
        plan: which fault each request meets.
        labels: the call and the step that a request belongs to.
        seed: what faults draw their details from.
    """

    def __init__(
        self,
        upstream: str,
        plan: Plan = no_faults,
        *,
        labels: Labels | None = None,
        seed: int = 0,
    ) -> None:
        self.plan = plan
        self.passages: list[Passage] = []
        self.arrived = threading.Semaphore(0)
        self._labels = labels or NoLabels()
        self._seed = seed
        self._answers: dict[str, list[Answer]] = defaultdict(list)
        self._seen: Counter[str] = Counter()
        self._note = threading.Lock()
        parts = urlsplit(upstream)
        super().__init__(self._converse, (parts.hostname or HOST, parts.port or 80))

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}"

    @property
    def faults(self) -> Counter[str]:
        """How often each fault was met."""
        return Counter(passage.fault for passage in self.passages if passage.fault)

    def connections(self, label: str) -> set[int]:
        """Numbers of the connections that a call's requests came over."""
        return {p.request.connection for p in self.passages if p.request.label == label}

    def _converse(self, client: socket.socket, number: int) -> None:
        for request in _requests(client, number):
            exchange = self._exchange(request, client)
            fault = self.plan(exchange.request)
            self.arrived.release()
            try:
                if fault is None:
                    exchange.answer(exchange.forward())
                else:
                    FAULTS[fault](exchange)
            finally:
                with self._note:
                    self.passages.append(Passage(exchange.request, fault, exchange.reached))
            if exchange.is_over:
                return

    def _exchange(self, request: Request, client: socket.socket) -> Exchange:
        with self._note:
            label, step = self._labels(request)
            ordinal = self._seen[label]
            self._seen[label] += 1
            earlier = tuple(self._answers[label])
        known = replace(request, label=label, step=step, ordinal=ordinal)
        draw = Random(f"{self._seed}/{label}/{ordinal}/details")
        return Exchange(known, draw, earlier, self, client, partial(self._remember, known))

    def _remember(self, request: Request, answer: Answer) -> None:
        with self._note:
            self._answers[request.label].append(answer)
            self._labels.learn(request, answer)


def _requests(client: socket.socket, number: int) -> Iterator[Request]:
    """The requests of a connection until the client closes it; each is read as it is wanted."""
    received = b""
    while True:
        connection = h11.Connection(h11.SERVER)
        head: h11.Request | None = None
        body = b""
        if received:
            connection.receive_data(received)
        while not isinstance(event := _next_event(connection), h11.EndOfMessage):
            if event is h11.NEED_DATA:
                if connection.they_are_waiting_for_100_continue:
                    client.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
                data = client.recv(65536)
                if not data:
                    return
                received += data
                connection.receive_data(data)
            elif isinstance(event, h11.Request):
                head = event
            elif isinstance(event, h11.Data):
                body += bytes(event.data)
        assert head is not None
        rest = connection.trailing_data[0]
        raw, received = received[: len(received) - len(rest)], bytes(rest)
        yield Request(
            head.method.decode(),
            head.target.decode(),
            [(name.decode(), value.decode("latin-1")) for name, value in head.headers],
            body,
            raw,
            number,
        )


def _next_event(connection: h11.Connection) -> object:
    try:
        return connection.next_event()
    except h11.RemoteProtocolError as error:
        raise ConnectionError("the client does not speak HTTP/1.1") from error
