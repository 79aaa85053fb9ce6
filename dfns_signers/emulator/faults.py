"""Failures made to order, before a request takes effect."""

from __future__ import annotations

import http.client
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from dfns_signers.emulator.exchange import Answer, json_answer
from dfns_signers.emulator.identifiers import new_id
from dfns_signers.emulator.routes import Route
from dfns_signers.errors import ConfigurationError

_END_OF_STATUS = 600


@dataclass
class _Fault:
    route: Route
    answer: Answer
    remaining: int


class Faults:
    """Answers to give instead of the usual ones, in the order they were asked for."""

    def __init__(self) -> None:
        self._faults: list[_Fault] = []

    def add(self, route: Route, answer: Answer, times: int) -> None:
        """Answer so to the next requests of this route.

        Raises:
            ConfigurationError: not even one time.
        """
        if times < 1:
            msg = f"times must be 1 or more, and is {times}"
            raise ConfigurationError(msg)
        self._faults.append(_Fault(route, answer, times))

    def take(self, route: Route) -> Answer | None:
        """The answer to give to a request of this route, if it shall fail."""
        for fault in self._faults:
            if fault.route is route and fault.remaining:
                fault.remaining -= 1
                return fault.answer
        return None


def fault_answer(status: int, headers: Mapping[str, str], body: Any) -> Answer:
    """The answer of a fault: text and bytes as they are, other values as JSON.

    Without a body it is the documented error envelope, and empty below 400.

    Raises:
        ConfigurationError: the status is none of a final answer.
    """
    if not HTTPStatus.OK <= status < _END_OF_STATUS:
        msg = f"status must be 200 to {_END_OF_STATUS - 1}, and is {status}"
        raise ConfigurationError(msg)
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
