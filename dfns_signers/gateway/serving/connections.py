"""One connection: who is at the other end, and how long it may take for each step."""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import Callable
from dataclasses import replace
from typing import Final, TypeAlias

import h11
import uvicorn
from uvicorn.protocols.http.h11_impl import RequestResponseCycle
from uvicorn.server import ServerState

from dfns_signers.gateway.requests.messages import Answer, Peer, Refusal
from dfns_signers.gateway.requests.raw_requests import StrictProtocol
from dfns_signers.gateway.serving.bounds import Bounds
from dfns_signers.gateway.serving.tls import names_of

# What uvicorn warns of, strangers can have it say as often as they like.
_log: Final = logging.getLogger("dfns_signers.gateway.http")
_log.setLevel(logging.ERROR)

# Seconds for the client to end TLS, too, which one that waits for nothing does not do.
_PARTING: Final = 1.0

Refuse: TypeAlias = Callable[[Refusal, Peer], Answer]


class Connection(StrictProtocol):
    """HTTP/1.1 with absolute deadlines.

    The scope of a request has the ``Peer`` in its ``state``, as ``peer``.

    Args:
        config: with the application.
        server: what the connections of a listener have in common.
        peer: who is at the other end.
        bounds: of each step.
        refuse: answers what cannot be read.
    """

    def __init__(
        self,
        config: uvicorn.Config,
        server: ServerState,
        peer: Peer,
        bounds: Bounds,
        refuse: Refuse,
    ) -> None:
        super().__init__(config, server, {"peer": peer})
        self.logger = _log
        self.peer = peer
        self.since = self.loop.time()
        self.lost = self.loop.create_future()
        self._bounds = bounds
        self._refuse = refuse
        self._step: tuple[float | None, object] = (None, self)
        self._deadline: asyncio.TimerHandle | None = None

    @property
    def is_waiting(self) -> bool:
        """Whether it is for the client to send something, or to take an answer."""
        return self._step[0] is not None or self.transport is None

    @property
    def _is_under_way(self) -> bool:
        cycle: RequestResponseCycle | None = self.cycle  # None before the first request
        return cycle is not None and not cycle.response_complete

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """See ``asyncio.Protocol``."""
        tls: ssl.SSLObject | None = transport.get_extra_info("ssl_object")
        certificate = None if tls is None else tls.getpeercert()
        if certificate:
            self.peer = replace(self.peer, names=names_of(certificate))
            self.app_state["peer"] = self.peer
        super().connection_made(transport)
        self._set_deadline()

    def connection_lost(self, _exc: Exception | None) -> None:
        """See ``asyncio.Protocol``."""
        if self._deadline is not None:
            self._deadline.cancel()
        # As if there were no error: uvicorn would leave its timer to a connection that was reset,
        # which would be kept for a minute, and not close the transport.
        super().connection_lost(None)
        self.mark_lost()

    def eof_received(self) -> bool:  # type: ignore[override]
        """Whether a client that sends no more, as ``nc -N``, still gets the answer to its call.

        Over TLS, asyncio closes the connection all the same.
        """
        waits = self._is_under_way and not self.cycle.more_body
        if waits:
            self.cycle.keep_alive = False
        return waits

    def mark_lost(self) -> None:
        """Note that the connection is gone, whether or not it was ever made."""
        if not self.lost.done():
            self.lost.set_result(None)

    def handle_events(self) -> None:
        """Take what has arrived."""
        super().handle_events()
        self._set_deadline()

    def on_response_complete(self) -> None:
        """Note that an answer has been written."""
        super().on_response_complete()
        self._set_deadline()

    def shutdown(self) -> None:
        """Close the connection, once a call that is under way is answered."""
        super().shutdown()
        self._set_deadline()

    def unreadable(self, refusal: Refusal) -> Answer:
        """The answer to a request that cannot be read."""
        return self._refuse(refusal, self.peer)

    def _set_deadline(self) -> None:
        """Start the clock of a step when it begins; within a step nothing prolongs it."""
        step = self._current_step()
        if step == self._step:
            return
        self._step, self.since = step, self.loop.time()
        if self._deadline is not None:
            self._deadline.cancel()
        seconds = step[0]
        overdue = self.transport.abort
        self._deadline = None if seconds is None else self.loop.call_later(seconds, overdue)

    def _current_step(self) -> tuple[float | None, object]:
        """The seconds that the client has, None while it is answered, and which request it is."""
        if self.transport.is_closing() and not self.transport.get_write_buffer_size():
            return _PARTING, None
        if self.conn.their_state is h11.SEND_BODY:
            return self._bounds.body, self.cycle
        if self._is_under_way:
            return None, self.cycle
        cycle: RequestResponseCycle | None = self.cycle  # None before the first request
        begun = cycle is None or bool(self.conn.trailing_data[0])
        return (self._bounds.head if begun else self._bounds.idle), (self.cycle, begun)
