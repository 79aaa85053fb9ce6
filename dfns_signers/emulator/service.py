"""What happens to a request, check by check."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl

from dfns_signers.emulator.authentication import authenticate, require_session
from dfns_signers.emulator.exchange import Answer, Incoming, ReceivedRequest
from dfns_signers.emulator.faults import Faults
from dfns_signers.emulator.fields import members
from dfns_signers.emulator.rate_limit import RateLimit
from dfns_signers.emulator.refusals import Refusal, bad_request, quoted
from dfns_signers.emulator.resources.change_requests import change_request
from dfns_signers.emulator.resources.table import build_router
from dfns_signers.emulator.routes import Call, Route
from dfns_signers.emulator.state import State
from dfns_signers.emulator.strict_json import parse
from dfns_signers.emulator.user_action_gate import check_user_action

MAXIMUM_BODY_BYTES = 1_048_576
KEPT_REQUESTS = 10_000


class Service:
    """The API of one emulator, without the server around it."""

    def __init__(self, state: State, rate_limit: RateLimit) -> None:
        self.lock = threading.RLock()
        self.state = state
        self.router = build_router()
        self.faults = Faults()
        self.approvals: list[Route] = []
        self.requests: deque[ReceivedRequest] = deque(maxlen=KEPT_REQUESTS)
        self._rate_limit = rate_limit

    def answer(self, request: Incoming) -> Answer:
        """Answer one request; never two at a time."""
        with self.lock:
            self.requests.append(request.without_secrets())
            try:
                return self._answer(request)
            except Refusal as refusal:
                return refusal.answer()

    def _answer(self, request: Incoming) -> Answer:
        route, parameters = self.router.match(request.method, request.raw_path)
        fault = self.faults.take(route)
        if fault:
            return fault
        token = authenticate(self.state, request)
        self._rate_limit.count()
        if route.session_operation:
            require_session(token, route.session_operation)
        body = {} if request.method == "GET" else _parsed_body(request)
        if route.takes_user_action:
            check_user_action(self.state, token, request, body)
        query = _parsed_query(request.query, route)
        route.body("", body)
        call = Call(self.state, token, request.raw_path, parameters, query, body)
        if route in self.approvals:
            return change_request(call, route.method, route.entity)
        return route.handler(call)


def _parsed_body(request: Incoming) -> Any:
    """The JSON of the body; no body is as good as ``{}``."""
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
        return parse(request.body)
    except ValueError as error:
        raise bad_request("body.json", f"The body is not JSON: {error}.") from None


def _parsed_query(query: str, route: Route) -> Mapping[str, str]:
    pairs = parse_qsl(query, keep_blank_values=True)
    parameters = dict(pairs)
    if len(parameters) != len(pairs):
        raise bad_request("query.repeated", "A query parameter is given more than once.")
    members({}, route.query)("query", parameters)
    return parameters
