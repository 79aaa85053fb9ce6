"""Which call a request to the Dfns API belongs to, and which step of it it is."""

from __future__ import annotations

import json
import re

from tests.support.exchange import Answer, Request

CALL = "call"
STEPS = {"/auth/action/init": "init", "/auth/action": "complete"}

_LABEL = re.compile(rb"call-[0-9a-z-]+")


class CallLabels:
    """Labels a request by the name ``call-…`` in its body or target.

    An assertion names no call: its challenge leads to the announcement, which does.
    """

    def __init__(self) -> None:
        self._by_challenge: dict[str, str] = {}

    def __call__(self, request: Request) -> tuple[str, str]:
        step = STEPS.get(request.target.partition("?")[0], CALL)
        if step == "complete":
            identifier = _member(request.body, "challengeIdentifier")
            return self._by_challenge.get(identifier, ""), step
        found = _LABEL.search(request.body) or _LABEL.search(request.target.encode())
        return (found[0].decode() if found else ""), step

    def learn(self, request: Request, answer: Answer) -> None:
        """Note the challenge that an announcement was answered with."""
        if request.step == "init" and request.label:
            self._by_challenge[_member(answer.body, "challengeIdentifier")] = request.label


def _member(content: bytes, name: str) -> str:
    try:
        return str(json.loads(content)[name])
    except (ValueError, LookupError, TypeError):
        return ""
