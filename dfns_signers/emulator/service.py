"""What happens to a request, check by check, unless a failure was ordered for it."""

from __future__ import annotations

import http.client
import logging
import math
import threading
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Final

from dfns_signers.emulator.authorization import authenticate, check_user_action, require_session
from dfns_signers.emulator.messages import (
    Answer,
    Incoming,
    Refusal,
    bad_request,
    json_answer,
    quoted,
    shortened,
)
from dfns_signers.emulator.request_log import RequestLog
from dfns_signers.emulator.resources import build_router
from dfns_signers.emulator.resources.policies import change_request
from dfns_signers.emulator.routes import Call, Route
from dfns_signers.emulator.state import State
from dfns_signers.emulator.wire import new_id, parse_json
from dfns_signers.errors import ConfigurationError

MAXIMUM_BODY_BYTES: Final = 1_048_576
RATE_WINDOW: Final = 60.0
_END_OF_STATUS: Final = 600
_LOG: Final = logging.getLogger("dfns_signers.emulator")


class Service:
    """The API of one emulator, without the server around it."""

    def __init__(self, state: State, rate_limit: RateLimit) -> None:
        self.lock = threading.RLock()
        self.state = state
        self.router = build_router()
        self.faults: list[Fault] = []
        self.approvals: list[Route] = []
        self.requests = RequestLog()
        self._rate_limit = rate_limit

    def answer(self, request: Incoming) -> Answer:
        """Answer one request; never two at a time."""
        with self.lock:
            self.requests.append(request.without_secrets())
            try:
                answer, reason = self._answer(request), ""
            except Refusal as refusal:
                answer, reason = refusal.answer(), f" {refusal.check}: {refusal}"
            _LOG.info("%s %d%s", _line(request), answer.status, reason)
            return answer

    def _answer(self, request: Incoming) -> Answer:
        route, parameters = self.router.match(request.method, request.raw_path)
        for fault in self.faults:
            if fault.route is route:
                fault.remaining -= 1
                if not fault.remaining:
                    self.faults.remove(fault)
                return fault.answer
        token = authenticate(self.state.directory, request)
        self._rate_limit.count()
        if route.session_operation:
            require_session(token, route.session_operation)
        body = {} if request.method == "GET" else _parsed_body(request)
        if route.takes_user_action:
            check_user_action(
                self.state.user_actions,
                token.holder,
                request,
                body,
                exact=self.state.exact_payloads,
            )
        query = route.parsed_query(request.query)
        route.check_body(body)
        call = Call(self.state, token, route, request.raw_path, parameters, query, body)
        if route in self.approvals:
            return change_request(call)
        result = route.handler(call)
        return result if isinstance(result, Answer) else json_answer(result)


@dataclass(slots=True)
class Fault:
    """An answer to give to the next requests of a route, before they take effect."""

    route: Route
    answer: Answer
    remaining: int


def fault_answer(status: int, headers: Mapping[str, str], body: Any) -> Answer:
    """The answer of a fault: strings and bytes as they are, other values as JSON.

    Without a body it is the documented error envelope, and empty below 400.

    Raises:
        ConfigurationError: the status is not that of a final answer.
    """
    if not HTTPStatus.OK <= status < _END_OF_STATUS:
        raise ConfigurationError(f"status must be 200 to {_END_OF_STATUS - 1}, and is {status}")
    if isinstance(body, str):
        return Answer(body.encode("utf-8"), status, headers, media_type="text/html")
    if isinstance(body, bytes):
        return Answer(body, status, headers, media_type="application/octet-stream")
    if body is None and status < HTTPStatus.BAD_REQUEST:
        return Answer(b"", status, headers)
    if body is None:
        message = http.client.responses.get(status, "Error")
        body = {"error": {"id": new_id("err"), "status": status, "message": message}}
    return json_answer(body, status, headers)


@dataclass(slots=True)
class RateLimit:
    """Counts the requests of the last minute.

    The real API may count in windows with fixed ends: what this one admits, that one does, too.

    Attributes:
        per_minute: requests of the organisation, which is all of the emulator; None for any.
        clock: the time in seconds since 1970.
    """

    per_minute: int | None
    clock: Callable[[], float]
    _counted: deque[float] = field(default_factory=deque)

    def count(self) -> None:
        """Count a request; refused with 429 and ``Retry-After`` above the limit."""
        if self.per_minute is None:
            return
        now = self.clock()
        while self._counted and now >= self._counted[0] + RATE_WINDOW:
            self._counted.popleft()
        if len(self._counted) >= self.per_minute:
            raise Refusal(
                HTTPStatus.TOO_MANY_REQUESTS,
                "rateLimit",
                f"Too many requests: {self.per_minute} per minute are allowed; a signed operation"
                " takes three.",
                headers={"Retry-After": str(math.ceil(self._counted[0] + RATE_WINDOW - now))},
            )
        self._counted.append(now)


def _line(request: Incoming) -> str:
    """Method and path with the query, cut to a length that suits a line."""
    target = f"{request.raw_path}?{request.query}" if request.query else request.raw_path
    return f"{shortened(request.method)} {shortened(target)}"


def _parsed_body(request: Incoming) -> Any:
    """The JSON of the body; no body is the same as ``{}``."""
    if request.oversized:
        raise Refusal(
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
            "body.size",
            f"The body is larger than {MAXIMUM_BODY_BYTES} bytes.",
        )
    if not request.body:
        return {}
    declared = ", ".join(request.header("content-type"))
    if declared.partition(";")[0].strip().lower() != "application/json":
        raise bad_request(
            "body.type",
            f"Content-Type must be application/json for a body, and is {quoted(declared)}.",
        )
    try:
        return parse_json(request.body)
    except ValueError as error:
        raise bad_request("body.json", f"The body is not JSON: {error}.") from None
