"""An observer hears of each request once, with all that is known of it and nothing secret."""

from __future__ import annotations

import asyncio
from hashlib import sha256
from pathlib import Path

from dfns_signers.gateway.assembly import new_service
from dfns_signers.gateway.loading import load_gateway
from dfns_signers.gateway.requests.messages import Answer, Incoming, Peer, Refusal
from dfns_signers.gateway.requests.observing import Exchange
from tests.core.client.scripted import CUT, Reply, ScriptedApi
from tests.gateway.running import LISTEN, PAYMENTS, TOKEN, configuration_for

ACCOUNTS = """
[[gateway.callers.payments.allow]]
name = "accounts"
call = "POST /auth/service-accounts"
escalates = true
members = ["name", "publicKey"]
"""
PEER = Peer("127.0.0.1:0", address="127.0.0.1:50000")
BODY = b'{"name":"canary-of-the-body"}'


class Recorder:
    """Keeps what it hears."""

    def __init__(self) -> None:
        self.began_with: list[str] = []
        self.finished_with: list[Exchange] = []

    def began(self, exchange: Exchange) -> None:
        self.began_with.append(exchange.id)

    def finished(self, exchange: Exchange) -> None:
        self.finished_with.append(exchange)


def observed(
    api: ScriptedApi,
    folder: Path,
    path: str = "/wallets",
    method: str = "POST",
    token: str = TOKEN,
    query: str = "",
) -> Exchange:
    """What an observer hears of a request of the caller."""
    file = configuration_for(api.url, folder, LISTEN + PAYMENTS + ACCOUNTS, "max_attempts = 1")
    recorder = Recorder()

    async def answer() -> Answer:
        service, signer = new_service(load_gateway(config=file))
        service.observer = recorder
        headers = {"authorization": f"Bearer {token}", "content-type": "application/json"}
        body = b"" if method == "GET" else BODY
        try:
            incoming, exchange = Incoming(method, path, query, headers, body, PEER), Exchange(PEER)
            try:
                service.admit(exchange, incoming)
            except Refusal as refusal:
                return service.refuse(exchange, refusal)
            return await service.answer(exchange, incoming)
        finally:
            await service.upstream.aclose()
            await signer.aclose()

    status = asyncio.run(answer()).status
    (exchange,) = recorder.finished_with
    assert recorder.began_with == ([exchange.id] if exchange.caller else [])
    assert exchange.status == status
    assert "canary" not in repr(exchange)
    assert exchange.seconds >= (exchange.upstream_seconds or 0)
    return exchange


def test_call_that_is_answered(api: ScriptedApi, tmp_path: Path) -> None:
    exchange = observed(api, tmp_path)

    assert (exchange.peer, exchange.caller) == (PEER, "payments")
    assert (exchange.method, exchange.path) == ("POST", "/wallets")
    assert (exchange.operation, exchange.rule) == ("POST /wallets", "wallets")
    assert (exchange.status, exchange.outcome, exchange.check) == (200, "answered", "")
    assert exchange.body_sha256 == sha256(BODY).hexdigest()
    assert exchange.upstream_seconds is not None
    assert not exchange.has_secret_answer


def test_call_that_hands_out_a_token(api: ScriptedApi, tmp_path: Path) -> None:
    api.on("/auth/service-accounts", Reply(200, {"userInfo": {}, "accessToken": "eyJ"}))

    assert observed(api, tmp_path, "/auth/service-accounts").has_secret_answer


def test_caller_that_is_not_known(api: ScriptedApi, tmp_path: Path) -> None:
    exchange = observed(api, tmp_path, token="another")

    assert (exchange.status, exchange.outcome, exchange.check) == (401, "refused", "caller")
    assert exchange.caller is None


def test_call_that_no_rule_allows(api: ScriptedApi, tmp_path: Path) -> None:
    exchange = observed(api, tmp_path, "/keys/key-1", "GET", query="a=canary&b")

    assert (exchange.status, exchange.outcome, exchange.check) == (403, "refused", "no-rule")
    assert (exchange.operation, exchange.rule) == ("GET /keys/{keyId}", None)
    assert (exchange.body_sha256, exchange.query_names) == ("", ["a", "b"])
    assert exchange.upstream_seconds is None


def test_call_that_the_api_has_not(api: ScriptedApi, tmp_path: Path) -> None:
    assert observed(api, tmp_path, "/unheard-of").operation is None


def test_call_whose_answer_is_lost(api: ScriptedApi, tmp_path: Path) -> None:
    api.on("/wallets", CUT)

    exchange = observed(api, tmp_path)

    assert (exchange.status, exchange.outcome) == (502, "failed")
    assert (exchange.check, exchange.rule) == ("upstream-connection", "wallets")
    assert exchange.may_have_taken_effect
    assert api.url in exchange.detail


def test_request_that_is_not_understood(api: ScriptedApi, tmp_path: Path) -> None:
    file = configuration_for(api.url, tmp_path, LISTEN + PAYMENTS)
    recorder = Recorder()
    service, _ = new_service(load_gateway(config=file))
    service.observer = recorder

    answer = service.refuse(Exchange(PEER), Refusal(421, "host", "another host"))

    (exchange,) = recorder.finished_with
    assert answer.status == exchange.status == 421
    assert (exchange.outcome, exchange.check, exchange.peer) == ("refused", "host", PEER)
    assert not recorder.began_with
