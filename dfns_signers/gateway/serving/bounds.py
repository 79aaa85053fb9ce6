"""How long the steps of a connection may take, and how many connections there may be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

MAX_HEAD: Final = 16_384
"""Bytes that a request line and its headers may have together."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """Bounds of each listener; times in seconds, which nothing that the client sends prolongs.

    Attributes:
        handshake: for TLS.
        head: from the connection, or the first byte of a further request, to the last header.
        body: from the last header to the end of the body.
        idle: between an answer and the next request; the answer must have been taken by then, too.
        connections: open at the same time.
        drain: for calls under way, once no connection is accepted.
    """

    handshake: float = 5.0
    head: float = 5.0
    body: float = 30.0
    idle: float = 60.0
    connections: int = 256
    drain: float = 25.0
