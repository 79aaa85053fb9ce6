"""A fault proxy for protocols that it does not know, such as HTTP/2: faults of bytes alone."""

from __future__ import annotations

import select
import socket
import threading
from collections import Counter
from collections.abc import Callable
from random import Random

from tests.support.tcp_server import TcpServer, has_left, reset

BYTE_FAULTS = ("refuse", "hang", "cut_request", "cut_answer", "damage_answer", "drip")

_BREAKING = ("refuse", "cut_request", "cut_answer", "damage_answer")
_LONGEST = 4096  # bytes, after which a connection is cut at the latest
_PAUSE = 0.01
_DRIP = 16  # bytes

BytePlan = Callable[[int], str | None]


def seeded_byte_plan(seed: int) -> BytePlan:
    """Draws a fault for a connection from the seed and its number.

    Each connection meets one, for it serves many requests; most are such that another follows it.
    """

    def plan(number: int) -> str | None:
        return Random(f"{seed}/{number}").choice((*BYTE_FAULTS, *_BREAKING * 3))

    return plan


class ByteFaultProxy(TcpServer):
    """Forwards connections to a port of this machine.

    Args:
        upstream: host and port.
        plan: which fault each connection meets, by its number.
        seed: what faults draw their details from.
    """

    def __init__(
        self, upstream: tuple[str, int], plan: BytePlan = lambda _: None, *, seed: int = 0
    ) -> None:
        self.plan = plan
        self.faults: Counter[str] = Counter()
        self._seed = seed
        self._note = threading.Lock()
        super().__init__(self._relay, upstream)

    def _relay(self, client: socket.socket, number: int) -> None:
        fault = self.plan(number)
        if fault is not None:
            with self._note:
                self.faults[fault] += 1
        if fault == "refuse":
            reset(client)
        elif fault == "hang":
            while not has_left(client):
                client.recv(65536)
        else:
            upstream = self.connect()
            try:
                _pump(client, upstream, fault, Random(f"{self._seed}/{number}/details"))
            finally:
                self.forget(upstream)


def _pump(client: socket.socket, upstream: socket.socket, fault: str | None, draw: Random) -> None:
    left = {"cut_request": client, "cut_answer": upstream, "damage_answer": upstream}
    source, allowed = left.get(fault or ""), draw.randrange(1, _LONGEST)
    while True:
        readable, _, _ = select.select([client, upstream], [], [])
        for ready in readable:
            other = upstream if ready is client else client
            data = ready.recv(65536)
            if not data:
                return
            if ready is source:
                if len(data) >= allowed and fault == "damage_answer":
                    data = data[: allowed - 1] + bytes([data[allowed - 1] ^ 0xFF]) + data[allowed:]
                    source = None
                elif len(data) >= allowed:
                    other.sendall(data[:allowed])
                    reset(client)
                    return
                allowed -= len(data)
            if fault == "drip" and ready is upstream:
                for start in range(0, len(data), _DRIP):
                    other.sendall(data[start : start + _DRIP])
                    select.select([], [], [], _PAUSE)
            else:
                other.sendall(data)
