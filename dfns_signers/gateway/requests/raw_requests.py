"""What only the bytes of a request show, and its server tidies away before an application sees it.

h11 takes a bare LF for the end of a line, unfolds headers, merges equal lengths and drops trailers;
uvicorn forgets a ``?`` with nothing behind it.
"""

from __future__ import annotations

import re
from typing import Any, Final

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from dfns_signers.gateway.requests.grammar import check_headers
from dfns_signers.gateway.requests.messages import Answer, Refusal

_LENIENT: Final = re.compile(rb"(?<!\r)\n|\r(?!\n)|\n[\t ]|[^\t\n\r -~]")
_VERSIONS: Final = frozenset({b"1.0", b"1.1"})
_LINE_END: Final = b"\r\n"
_UNREADABLE: Final = "the request is not HTTP/1.1"


class StrictConnection(h11.Connection):
    """Refuses requests that h11 would put right.

    Attributes:
        refusal: of the request that ``next_event`` failed for.
        method: of the request whose head was read; empty before that.
    """

    method = b""

    refusal = Refusal(400, "http", _UNREADABLE, closes=True)

    _received = b""
    _is_chunked = False

    def receive_data(self, data: bytes) -> None:
        """Take what has arrived, as h11 does, and keep what of it stands before the next event."""
        left = len(self.trailing_data[0])
        self._received = self._received[-(left + len(_LINE_END)) :] + data
        super().receive_data(data)

    def next_event(self) -> Any:
        """The next event of h11.

        Raises:
            h11.RemoteProtocolError: the request is not HTTP, or not in one form only.
        """
        before = b""
        if self.their_state is h11.IDLE:
            before, self.method = self.trailing_data[0], b""
        event = super().next_event()
        try:
            if isinstance(event, h11.Request):
                self.method = event.method
                rest = self.trailing_data[0]
                _check_head(event, before[: len(before) - len(rest)])
                self._is_chunked = any(name == b"transfer-encoding" for name, _ in event.headers)
            elif isinstance(event, h11.EndOfMessage):
                self._check_end(event)
        except Refusal as refusal:
            self.refusal = refusal
            raise h11.RemoteProtocolError(str(refusal)) from None
        return event

    def _check_end(self, event: h11.EndOfMessage) -> None:
        if list(event.headers):
            raise Refusal(400, "headers", "the request has trailers", closes=True)
        end = len(self._received) - len(self.trailing_data[0])
        read, self._received = self._received[:end], self._received[end:]
        if self._is_chunked and not read.endswith(_LINE_END):
            raise Refusal(400, "http", _UNREADABLE, closes=True)


def _check_head(request: h11.Request, raw: bytes) -> None:
    """Refuse what h11 was lenient with.

    Args:
        request: as h11 read it.
        raw: its bytes, up to and with the empty line.
    """
    if _LENIENT.search(raw) or request.http_version not in _VERSIONS:
        raise Refusal(400, "http", _UNREADABLE, closes=True)
    fields = (line.partition(b":") for line in raw.split(b"\r\n")[1:-2])
    check_headers([(name.lower(), value.strip(b"\t ")) for name, _, value in fields])
    if request.target.endswith(b"?"):
        raise Refusal(400, "target", "the query is empty: leave out the '?'", closes=True)


class StrictProtocol(H11Protocol):
    """The protocol of uvicorn, which answers what cannot be read with the envelope of Dfns."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        limit = self.config.h11_max_incomplete_event_size
        self.conn = (
            StrictConnection(h11.SERVER) if limit is None else StrictConnection(h11.SERVER, limit)
        )

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002  # uvicorn's words
        """Answer a request that cannot be read, and close the connection."""
        if self._has_a_call_under_way():
            # What comes behind a call that is the last of its connection is not part of it.
            self.cycle.keep_alive = False
            self.flow.pause_reading()
            return
        if self.conn.our_state in {h11.IDLE, h11.SEND_RESPONSE}:
            connection: Any = self.conn
            answer = self.unreadable(connection.refusal)
            body = b"" if connection.method == b"HEAD" else answer.body
            headers = [*answer.headers.items(), ("content-length", str(len(answer.body)))]
            for event in (
                h11.Response(status_code=answer.status, headers=headers, reason=b"Bad Request"),
                h11.Data(data=body),
                h11.EndOfMessage(),
            ):
                self.transport.write(self.conn.send(event) or b"")
        self.transport.close()

    def _has_a_call_under_way(self) -> bool:
        cycle: Any = self.cycle
        return cycle is not None and not cycle.more_body and not cycle.response_complete

    def unreadable(self, refusal: Refusal) -> Answer:
        """The answer to a request that cannot be read."""
        return refusal.answer()

    def _should_upgrade(self) -> bool:
        # An offer of another protocol, as the HTTP client of Java makes it, need not be taken.
        return False
