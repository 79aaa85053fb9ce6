"""A way to a real server that is cut once, as by a process that is killed."""

from __future__ import annotations

import urllib.request
from collections import Counter
from dataclasses import dataclass
from urllib.error import HTTPError

from dfns_signers.closing import Closing
from tests.plugins.aws_kms.http_double import HttpDouble, Reply, Request

_OF_THE_CONNECTION = {"host", "connection", "content-length"}


@dataclass(frozen=True)
class Cut:
    """Which request is cut.

    Attributes:
        operation: such as ``CreateKey``.
        number: counted from 1.
        is_carried_out: whether the server gets it, and only the answer is lost.
    """

    operation: str
    number: int
    is_carried_out: bool

    def __str__(self) -> str:
        return f"{'after' if self.is_carried_out else 'before'}-{self.operation}-{self.number}"


class CutOnce(Closing):
    """Passes requests on to a server, but for one."""

    def __init__(self, server: str, cut: Cut) -> None:
        self.carried_out: Counter[str] = Counter()
        self._asked: Counter[str] = Counter()
        self._server = server
        self._cut = cut
        self._http = HttpDouble(self._answer)
        self.url = self._http.url

    @property
    def has_cut(self) -> bool:
        return self._asked[self._cut.operation] >= self._cut.number

    def close(self) -> None:
        self._http.close()

    def _answer(self, request: Request) -> Reply | None:
        operation = request.headers["x-amz-target"].partition(".")[2]
        self._asked[operation] += 1
        is_cut = (operation, self._asked[operation]) == (self._cut.operation, self._cut.number)
        if is_cut and not self._cut.is_carried_out:
            return None
        reply = self._passed_on(request)
        self.carried_out[operation] += reply.status == 200
        return None if is_cut else reply

    def _passed_on(self, request: Request) -> Reply:
        headers = {n: v for n, v in request.headers.items() if n not in _OF_THE_CONNECTION}
        passed = urllib.request.Request(self._server, request.body, headers)
        try:
            with urllib.request.urlopen(passed, timeout=30) as answer:
                return Reply(answer.status, answer.read())
        except HTTPError as refusal:
            with refusal:
                return Reply(refusal.code, refusal.read())
