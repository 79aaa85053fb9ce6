"""Requests and answers as values."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from dfns_signers.user_action.bodies import to_json_bytes


@dataclass(frozen=True, slots=True)
class Peer:
    """Who is at the other end of a connection, as the kernel and TLS say.

    Attributes:
        listener: the listener as the configuration has it, such as ``127.0.0.1:8787``.
        uid: user id of the process on a unix socket; None elsewhere.
        pid: its process id, for the audit trail alone.
        address: IP address and port on TCP; empty elsewhere.
        names: DNS names and URIs of the client certificate that was verified; None without one.
    """

    listener: str
    uid: int | None = None
    pid: int | None = None
    address: str = ""
    names: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Incoming:
    """A request in the one form that the gateway takes.

    Attributes:
        method: upper-case HTTP method.
        path: path as it came, without query; no percent sign is in it.
        query: query as it came, without ``?``.
        headers: values by lower-case name; none came twice.
        body: bytes as they came.
        peer: who sent it.
    """

    method: str
    path: str
    query: str
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    peer: Peer


@dataclass(frozen=True, slots=True)
class Answer:
    """What is answered: status, headers, body."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)


def json_answer(status: int, value: Any, **headers: str) -> Answer:
    """An answer of JSON."""
    return Answer(status, {"content-type": "application/json", **headers}, to_json_bytes(value))


async def send_answer(answer: Answer, send: Any, *, close: bool = False) -> None:
    """Answer a request of ASGI."""
    headers = {**answer.headers, "content-length": str(len(answer.body))}
    if close:
        headers["connection"] = "close"
    encoded = [(name.encode(), value.encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": answer.status, "headers": encoded})
    await send({"type": "http.response.body", "body": answer.body})


class Refusal(Exception):  # noqa: N818  # no error: a result of a check, which becomes an answer
    """The gateway refuses a request.

    Attributes:
        status: of the answer; 401 only where the caller is not known.
        check: names what refused, such as ``host``, ``no-rule``, ``rate``.
        rule: the rule that refused or came near, if one did.
        retry_after: seconds, for a 429 or 503.
        may_have_taken_effect: whether Dfns may have carried the call out all the same.
        closes: whether the connection ends with the answer.
        detail: for the operator alone, such as which key failed.
    """

    def __init__(
        self,
        status: int,
        check: str,
        message: str,
        *,
        rule: str | None = None,
        retry_after: float | None = None,
        may_have_taken_effect: bool = False,
        closes: bool = False,
        detail: str = "",
    ) -> None:
        super().__init__(message)
        self.status = status
        self.check = check
        self.rule = rule
        self.retry_after = retry_after
        self.may_have_taken_effect = may_have_taken_effect
        self.closes = closes
        self.detail = detail

    def answer(self) -> Answer:
        """The envelope of Dfns, so that the official SDKs show the message."""
        details: dict[str, Any] = {"gateway": self.check}
        if self.rule:
            details["rule"] = self.rule
        if self.may_have_taken_effect:
            details["mayHaveTakenEffect"] = True
        error = {
            "id": f"gw-{self.check}",
            "status": self.status,
            "message": str(self),
            "details": details,
        }
        headers = {"connection": "close"} if self.closes else {}
        if self.retry_after is not None and math.isfinite(self.retry_after):
            headers["retry-after"] = str(math.ceil(self.retry_after))
        return json_answer(self.status, {"error": error}, **headers)
