"""Plain calls are signed by the gateway and sent on."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from dfns_signers.gateway.callers.limits import Limits
from tests.gateway.running import running_gateway


def test_plain_call_that_a_rule_allows_is_signed_with_the_key_of_the_gateway(
    tmp_path: Path,
) -> None:
    with running_gateway(tmp_path) as gateway, gateway.client() as caller:
        answer = caller.post("/wallets", json={"network": "EthereumSepolia"})

    assert answer.status_code == 200, answer.text
    assert answer.json()["network"] == "EthereumSepolia"


def test_call_that_no_rule_allows_is_refused_before_the_api_hears_of_it(tmp_path: Path) -> None:
    with running_gateway(tmp_path) as gateway, gateway.client() as caller:
        answer = caller.post("/keys", json={"scheme": "ECDSA", "curve": "secp256k1"})

        assert answer.status_code == 403
        assert answer.json()["error"]["details"] == {"gateway": "no-rule"}
        assert len(gateway.emulator.requests) == 0


def test_caller_without_its_token_is_not_known(tmp_path: Path) -> None:
    with running_gateway(tmp_path) as gateway, gateway.client("another") as caller:
        answer = caller.get("/wallets")

    assert answer.status_code == 401


def test_error_of_the_gateway_itself_is_answered_and_logged_without_what_was_sent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def fails(*_arguments: object) -> None:
        raise ValueError("the name is Alice")

    with running_gateway(tmp_path) as gateway, gateway.client() as caller:
        with monkeypatch.context() as patch, caplog.at_level(logging.ERROR):
            patch.setattr(Limits, "admit", fails)
            answer = caller.post("/wallets", json={"network": "Ethereum", "name": "Alice"})
        after = caller.post("/wallets", json={"network": "EthereumSepolia"})

        assert answer.status_code == 500
        assert answer.json()["error"]["details"] == {"gateway": "internal"}
        assert "failed with ValueError in fails" in caplog.text
        assert "Alice" not in answer.text + caplog.text
        assert after.status_code == 200
