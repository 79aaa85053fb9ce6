"""What happens to a request, check by check, unless a failure was ordered for it."""

from __future__ import annotations

import http.client
import itertools
import logging
import math
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from typing import Any, Final

from dfns_signers.emulator.access.authorization import (
    authenticate,
    check_user_action,
    require_session,
)
from dfns_signers.emulator.access.identities import AccessToken
from dfns_signers.emulator.access.permissions import add_full_access, owned_only, require_permission
from dfns_signers.emulator.exchanges.request_log import Exchange, RequestLog
from dfns_signers.emulator.exchanges.signing_trail import SigningTrail, caller_name
from dfns_signers.emulator.policies.approvals import expire
from dfns_signers.emulator.policies.changes import hold
from dfns_signers.emulator.requests.messages import (
    Answer,
    Incoming,
    Refusal,
    bad_request,
    json_answer,
    one_line,
    quoted,
    shortened,
)
from dfns_signers.emulator.requests.multipart import Upload
from dfns_signers.emulator.requests.routes import Call, Route
from dfns_signers.emulator.requests.wire import new_id, parse_json
from dfns_signers.emulator.resources import build_router
from dfns_signers.emulator.state import State
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
        add_full_access(state)
        self.router = build_router()
        self.faults: list[Fault] = []
        self.approvals: list[Route] = []
        self.requests = RequestLog()
        self._rate_limit = rate_limit
        self._numbers = itertools.count(1)
        self._trail = SigningTrail()

    def answer(self, request: Incoming) -> Answer:
        """Answer one request; never two at a time, but for what answers make ``later``."""
        with self.lock:
            exchange = self._exchange(request)
            later = exchange.answer.later
            if later is None:
                return self._finish(request, exchange)

        def finish_later() -> Answer:
            answer = later()
            with self.lock:
                return self._finish(request, replace(exchange, answer=answer))

        return Answer(b"", later=finish_later)

    def _finish(self, request: Incoming, exchange: Exchange) -> Answer:
        exchange = replace(exchange, number=next(self._numbers))
        self.requests.append(exchange)
        refusal = f" {exchange.check}: {one_line(exchange.reason)}" if exchange.check else ""
        _LOG.info(
            "%s %d%s",
            _line(request),
            exchange.answer.status,
            refusal,
            extra={"exchange": exchange},
        )
        return exchange.answer

    def _exchange(self, request: Incoming) -> Exchange:
        # The call may forget the token that it is made with.
        caller = caller_name(self.state.directory, request)
        begun = time.perf_counter()
        check, reason = "", ""
        try:
            answer = self._answer(request)
        except Refusal as refusal:
            answer, check, reason = refusal.answer(), refusal.check, str(refusal)
        return Exchange(
            number=0,  # until it is finished
            date=self.state.clock(),
            seconds=time.perf_counter() - begun,
            request=request.without_secrets(),
            answer=answer,
            caller=caller,
            signing=self._trail.follow(request, answer),
            check=check,
            reason=reason,
        )

    def _answer(self, request: Incoming) -> Answer:
        expire(self.state)
        route, parameters = self.router.match(request.method, request.raw_path)
        fault = self._due_fault(route)
        if fault is not None:
            return fault
        token = self._admitted(request, route, parameters)
        upload = Upload(request) if route.operation.multipart else None
        request = upload.request if upload else request
        body = {} if request.method == "GET" else _parsed_body(request)
        if token and route.takes_user_action:
            check_user_action(
                self.state.user_actions,
                token.holder,
                request,
                body,
                exact=self.state.exact_payloads,
            )
        query = route.parsed_query(request.query)
        if token and self.state.enforce_permissions:
            query = owned_only(self.state, token, route.operation, query)
        body = upload.without_checksum(body) if upload else body
        route.check_body(body)
        call = Call(self.state, token, route, request.raw_path, parameters, query, body)
        if route in self.approvals:
            return hold(call)
        result = route.handler(call)
        return result if isinstance(result, Answer) else json_answer(result)

    def _due_fault(self, route: Route) -> Answer | None:
        for fault in self.faults:
            if fault.route is route:
                fault.remaining -= 1
                if not fault.remaining:
                    self.faults.remove(fault)
                return fault.answer
        return None

    def _admitted(
        self, request: Incoming, route: Route, parameters: Mapping[str, str]
    ) -> AccessToken | None:
        """The token of a caller who may ask for this; None where anybody may."""
        token = None
        if route.access != "open":
            token = authenticate(self.state.directory, request, route.access)
        self._rate_limit.count()
        if token and route.session_operation:
            require_session(token, route.session_operation)
        if token and self.state.enforce_permissions:
            require_permission(self.state, token, route.operation, parameters)
        return token


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
