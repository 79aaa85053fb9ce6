"""A receiver of webhooks on a loopback port, and requests about webhooks that are refused."""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import httpx

from dfns_signers.emulator import Emulator
from tests.emulator.caller import Caller
from tests.emulator.spoiled import Request, World, call


@dataclass
class Received:
    """A delivery as it arrived."""

    headers: dict[str, str]
    body: bytes

    @property
    def payload(self) -> Any:
        return json.loads(self.body)

    def is_signed_with(self, secret: str) -> bool:
        """Whether a verifier that follows the Dfns docs accepts it."""
        digest = hmac.new(secret.encode(), self.body, hashlib.sha256).hexdigest()
        return self.headers["x-dfns-webhook-signature"] == f"sha256={digest}"


@dataclass
class Receiver:
    """Answers deliveries with a status and keeps them.

    Attributes:
        statuses: of the next answers; 200 when there are no more.
        may_answer: cleared to let a delivery wait for its answer.
    """

    url: str = ""
    received: list[Received] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)
    may_answer: threading.Event = field(default_factory=threading.Event)


@contextmanager
def receiving() -> Iterator[Receiver]:
    """A receiver that runs."""
    receiver = Receiver()
    receiver.may_answer.set()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            receiver.received.append(Received(headers, body))
            receiver.may_answer.wait()
            self.send_response(receiver.statuses.pop(0) if receiver.statuses else 200)
            self.send_header("Location", receiver.url)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        receiver.url = f"http://127.0.0.1:{server.server_port}/hook"
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield receiver
        finally:
            receiver.may_answer.set()
            server.shutdown()
            thread.join()


def webhook(caller: Caller, url: str, *events: str, **members: Any) -> dict[str, Any]:
    """A new webhook, with its secret."""
    return caller.create("/webhooks", {"url": url, "events": list(events or ["*"]), **members})


def happen(emulator: Emulator, kind: str = "wallet.created", **data: Any) -> None:
    """Have something happen in the emulator."""
    emulator._state.events.publish(kind, data)


def address(url: str) -> Request:
    return call("/webhooks", {"url": url, "events": ["*"]})


def one_too_many(world: World) -> httpx.Response:
    for number in range(5):
        webhook(world.caller, f"http://127.0.0.1:9/{number}")
    return address("http://127.0.0.1:9/6")(world)


WEBHOOKS = [("field.value", address("example.com/hook")), ("webhook.count", one_too_many)]
