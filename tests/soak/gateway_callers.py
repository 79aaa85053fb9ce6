"""Callers of gateways: plain ones with a token or on a unix socket, and ones that sign."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from hashlib import sha256
from itertools import cycle
from typing import Any, Final

import httpx

from dfns_signers.errors import CallError
from tests.emulator.caller import Caller, compact
from tests.gateway.user_actions.signing_callers import CALLER_KEY, CREDENTIAL
from tests.soak.driving import Played, arguments, timed
from tests.soak.verdicts import Outcome

Call = Callable[[str], Any]

TOKENS: Final = {"plain": "token-of-a-plain-caller", "signing": "token-of-a-signing-caller"}
_KINDS: Final = ("plain", "local", "signing")
_AT_ONCE: Final = 24
_PATIENCE: Final = 60.0
_OK: Final = 200


class CallersOfGateways:
    """Many callers at once, of each kind at each process.

    Args:
        urls: of the listeners of each process: one on TCP, and one on a unix socket.

    Attributes:
        bodies: label of each call by the SHA-256 of its body.
    """

    def __init__(self, urls: Sequence[Sequence[str]]) -> None:
        self.bodies: dict[str, str] = {}
        self._urls = urls
        self._is_ending = threading.Event()

    def play(self, labels: Sequence[str], end: Callable[[], None] | None = None) -> Played:
        """Make the calls; ``end`` is called once half of them are under way or over."""
        self.bodies.update({sha256(_body(label)).hexdigest(): label for label in labels})
        with ExitStack() as stack, ThreadPoolExecutor(_AT_ONCE) as pool:
            calls = cycle([stack.enter_context(_caller(kind, self._urls)) for kind in _KINDS])
            outcomes = []
            for number, (label, call) in enumerate(zip(labels, calls, strict=False)):
                outcomes.append(pool.submit(self._call, call, label))
                if end is not None and number == len(labels) // 2:
                    outcomes[number // 2].result()
                    self._is_ending.set()
                    end()
            return Played([outcome.result() for outcome in outcomes])

    def _call(self, call: Call, label: str) -> Outcome:
        outcome = timed(label, lambda: call(label))
        if self._is_ending.is_set() and isinstance(outcome.error, httpx.TransportError):
            # It was not taken any more, and so must have had no effect.
            return replace(outcome, error=CallError(str(outcome.error)))
        return outcome


@contextmanager
def _caller(kind: str, urls: Sequence[Sequence[str]]) -> Iterator[Call]:
    """Calls as a caller of a kind does, each step at the next process."""
    with ExitStack() as stack:
        signer = stack.enter_context(Caller(urls[0][0], "", CREDENTIAL, CALLER_KEY))
        clients = cycle([stack.enter_context(_client(kind, of)) for of in urls])
        lock = threading.Lock()

        def send(path: str, body: bytes, **headers: str) -> Any:
            with lock:
                client = next(clients)
            named = {"Content-Type": "application/json", **headers}
            answer = client.post(path, content=body, headers=named)
            if answer.status_code != _OK:
                raise _error(answer)
            return answer.json() if answer.content else None

        def call(label: str) -> Any:
            body = _body(label)
            if kind != "signing":
                return send("/wallets", body)
            challenge = send("/auth/action/init", _announcement(body))
            action = send("/auth/action", _completion(signer, challenge))["userAction"]
            return send("/wallets", body, **{"X-DFNS-USERACTION": action})

        yield call


def _client(kind: str, urls: Sequence[str]) -> httpx.Client:
    tcp, unix = urls
    if kind == "local":
        transport = httpx.HTTPTransport(uds=unix.removeprefix("unix:"))
        return httpx.Client(base_url="http://localhost", transport=transport, timeout=_PATIENCE)
    headers = {"Authorization": f"Bearer {TOKENS[kind]}"}
    return httpx.Client(base_url=tcp, headers=headers, timeout=_PATIENCE, trust_env=False)


def _body(label: str) -> bytes:
    asked = arguments(label)
    members = {"network": asked["network"], "name": label, "externalId": asked["external_id"]}
    return compact({name: value for name, value in members.items() if value is not None})


def _announcement(body: bytes) -> bytes:
    announced = {
        "userActionPayload": body.decode(),
        "userActionHttpMethod": "POST",
        "userActionHttpPath": "/wallets",
        "userActionServerKind": "Api",
    }
    return compact(announced)


def _completion(signer: Caller, challenge: dict[str, Any]) -> bytes:
    identifier = challenge["challengeIdentifier"]
    return compact({"challengeIdentifier": identifier, "firstFactor": signer.factor(challenge)})


def _error(answer: httpx.Response) -> Exception:
    error = answer.json()["error"]
    details = error.get("details") or {}
    text = f"{answer.status_code} {details.get('gateway')}: {error['message']}"
    if details.get("gateway") == "internal":
        return RuntimeError(text)
    refused = CallError(text)
    refused.may_have_taken_effect = bool(details.get("mayHaveTakenEffect"))
    return refused
