"""Plain calls are signed by the gateway and sent on."""

from __future__ import annotations

from pathlib import Path

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
