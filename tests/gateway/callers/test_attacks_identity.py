"""Attacks on who a caller is; the rows of the threat model that name callers and files."""

from __future__ import annotations

import io
from hashlib import sha256
from pathlib import Path

import pytest

from dfns_signers.errors import ConfigurationError
from dfns_signers.gateway.callers.callers import UnknownCaller
from dfns_signers.gateway.loading import load_gateway
from dfns_signers.gateway.operation.logs import logging_to
from tests.core.config.support import write_config, write_key
from tests.gateway.callers.test_callers import CALLERS, request
from tests.gateway.configuration.test_settings import PROFILE
from tests.gateway.running import LISTEN, PAYMENTS, TOKEN, running_gateway
from tests.support.certificates import Authority


def test_another_local_user_at_a_shared_socket_is_nobody() -> None:
    with pytest.raises(UnknownCaller):
        CALLERS.identify(request(uid=65534))


def test_token_of_one_caller_in_the_process_of_another_is_refused() -> None:
    with pytest.raises(UnknownCaller):
        CALLERS.identify(request("new", uid=1002))


def test_stolen_token_is_not_enough_where_all_identities_must_hold() -> None:
    with pytest.raises(UnknownCaller):
        CALLERS.identify(request("strict", uid=1001))
    with pytest.raises(UnknownCaller):
        CALLERS.identify(request("strict"))


def test_token_alone_is_refused_beside_a_certificate_that_nobody_has() -> None:
    with pytest.raises(UnknownCaller):
        CALLERS.identify(request("new", names=("another.example.org",)))


@pytest.mark.parametrize(
    "authorization",
    [
        "Bearer",
        f"bearer {TOKEN}",
        f"Bearer  {TOKEN}",
        f"Bearer {TOKEN}x",
        f"Bearer {TOKEN[:-1]}",
        f"Bearer {sha256(TOKEN.encode()).hexdigest()}",
        f"Basic {TOKEN}",
        TOKEN,
        "Bearer upstream-token",
    ],
)
def test_any_other_authorization_is_nobody_and_nothing_is_sent_on(
    tmp_path: Path, authorization: str
) -> None:
    with running_gateway(tmp_path) as gateway, gateway.client() as client:
        answer = client.post(
            "/wallets",
            json={"network": "EthereumSepolia"},
            headers={"Authorization": authorization},
        )

        # httpx does not send white space at the end of a header.
        expected = 200 if authorization.strip() == f"Bearer {TOKEN}" else 401
        assert answer.status_code == expected
        assert bool(gateway.emulator.requests) == (expected == 200)


@pytest.mark.parametrize("body", [b'{"a":1,"a":2}', b"[" * 100_000, b"no JSON"])
def test_body_of_a_stranger_is_not_parsed(tmp_path: Path, body: bytes) -> None:
    with running_gateway(tmp_path) as gateway:
        for token, status in (("guessed-token", 401), (TOKEN, 400)):
            with gateway.client(token) as client:
                headers = {"Content-Type": "application/json"}
                answer = client.post("/wallets", content=body, headers=headers)

            assert answer.status_code == status


def test_answer_and_log_say_nothing_of_a_token_that_is_refused(tmp_path: Path) -> None:
    log = io.StringIO()
    with (
        logging_to(log, "json", "debug"),
        running_gateway(tmp_path) as gateway,
        gateway.client("guessed-token") as client,
    ):
        answer = client.get("/wallets")

    said = answer.text + str(answer.headers) + log.getvalue()
    assert "refused before the caller was known" in said
    for secret in ("guessed-token", sha256(b"guessed-token").hexdigest(), TOKEN, "upstream-token"):
        assert secret not in said


BEARER_ALONE = f"""
listen = ["10.0.0.1:8443?tls=gateway"]
{PAYMENTS}
[gateway.tls.gateway]
certificate = "server.pem"
key = {{ file = "server.key" }}
"""
OPEN = {
    "off-loopback": ('listen = ["10.0.0.1:8787"]' + PAYMENTS, "plain http is for this machine"),
    "every-address": ('listen = ["[::]:8787"]\nhosts = ["a:1"]' + PAYMENTS, "plain http is for"),
    "bearer-alone": (BEARER_ALONE, "off this machine, callers must show certificates"),
    "open-socket": ('listen = ["unix:/tmp/a.sock?mode=0666"]' + PAYMENTS, "expected mode=0600"),
    "others-write": ('listen = ["unix:/tmp/a.sock?mode=0662"]' + PAYMENTS, "expected mode=0600"),
    "anonymous": (LISTEN + "\n[gateway.callers.anybody]\nreads = true\n", "nothing identifies it"),
    "ambiguous": (LISTEN + PAYMENTS.replace("payments", "web") + PAYMENTS, "given 2 times"),
}


@pytest.mark.parametrize(("gateway", "reason"), OPEN.values(), ids=OPEN.keys())
def test_gateway_that_strangers_could_use_does_not_start(
    tmp_path: Path, gateway: str, reason: str
) -> None:
    write_key(tmp_path)
    Authority(tmp_path).issue("server", "localhost")
    (tmp_path / "server.key").chmod(0o600)

    with pytest.raises(ConfigurationError, match=reason):
        load_gateway(config=write_config(tmp_path, PROFILE + gateway))


def test_rules_that_others_could_write_are_not_read(tmp_path: Path) -> None:
    config = write_config(tmp_path, PROFILE + LISTEN + PAYMENTS)
    config.chmod(0o622)

    with pytest.raises(ConfigurationError, match="other users can write"):
        load_gateway(config=config)
