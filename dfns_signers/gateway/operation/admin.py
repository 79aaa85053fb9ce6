"""Health and metrics over HTTP, read-only, apart from the API: an ASGI application."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

import dfns_signers
from dfns_signers import worker_threads
from dfns_signers.gateway.operation.health import Health
from dfns_signers.gateway.operation.metrics import Metrics
from dfns_signers.gateway.requests.messages import Answer, json_answer, send_answer

PAGES: Final = ("/livez", "/startupz", "/readyz", "/metrics")

_TEXT: Final = {"content-type": "text/plain; charset=utf-8"}


class AdminApplication:
    """Answers ``/livez``, ``/startupz``, ``/readyz`` and ``/metrics``, and nothing else.

    Args:
        health: of the gateway.
        metrics: of the gateway.
        hosts: values that ``Host`` may have, in lower case.
    """

    def __init__(self, health: Health, metrics: Metrics, hosts: frozenset[str]) -> None:
        self._health = health
        self._metrics = metrics
        self._hosts = hosts

    async def __call__(self, scope: dict[str, Any], _receive: Any, send: Any) -> None:
        """Answer a request of ASGI; what a client sends as a body is not read."""
        answer = await self._answer(scope)
        headers = {**answer.headers, "cache-control": "no-store"}
        await send_answer(replace(answer, headers=headers), send)

    async def _answer(self, scope: dict[str, Any]) -> Answer:
        headers = {
            name.decode("latin-1"): text.decode("latin-1") for name, text in scope["headers"]
        }
        if headers.get("host", "").lower() not in self._hosts:
            return _said(421, "the Host header is not an address of this listener")
        path = scope["raw_path"].decode("latin-1")
        if path not in PAGES:
            return _said(404, f"not found; there is {', '.join(PAGES)}")
        if scope["method"] != "GET":
            return _said(405, "GET only", allow="GET")
        if path == "/metrics":
            return await self._exposed(headers.get("accept", ""))
        if path == "/readyz":
            return await self._ready(verbose=scope["query_string"] == b"verbose")
        return self._started() if path == "/startupz" else _said(200, "ok")

    def _started(self) -> Answer:
        started = self._health.state != "starting"
        return _said(200, "ok") if started else _said(503, "starting")

    async def _ready(self, *, verbose: bool) -> Answer:
        problems = await self._health.problems()
        is_ready = not any(problems.values())
        status = 200 if is_ready else 503
        if not verbose:
            return _said(status, "ok" if is_ready else "not ready; /readyz?verbose says why")
        return json_answer(
            status,
            {
                "ready": is_ready,
                "state": self._health.state,
                "version": dfns_signers.__version__,
                "checks": [
                    {"name": name, "ok": problem is None, "problem": problem}
                    for name, problem in problems.items()
                ],
            },
        )

    async def _exposed(self, accept: str) -> Answer:
        # In a thread, for the collectors read files.
        body, kind = await worker_threads.run(self._metrics.exposition, accept)
        return Answer(200, {"content-type": kind}, body)


def _said(status: int, text: str, **headers: str) -> Answer:
    return Answer(status, {**_TEXT, **headers}, f"{text}\n".encode())
