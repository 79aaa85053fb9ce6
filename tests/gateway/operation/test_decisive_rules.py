"""Metrics, log and audit trail name the same rule of a call: the one that decided."""

from __future__ import annotations

import json
import logging
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from dfns_signers.emulator import Emulator
from dfns_signers.gateway.operation.logs import REQUESTS
from tests.gateway.running import DIGEST, LISTEN, RunningGateway, configuration, served
from tests.gateway.user_actions.signing_callers import by_hand, signing_caller

RULES = """
[[gateway.callers.payments.allow]]
name = "few"
call = "POST /wallets"
rate = "1/day"

[[gateway.callers.payments.allow]]
name = "named"
call = "POST /wallets"
require = ["name"]
rate = "1/day"
"""
PLAIN = f'[gateway.callers.payments]\ntoken_sha256 = ["{DIGEST}"]\n{RULES}'
PROFILE = """
audit.file = "audit.jsonl"
allow = [{ name = "of-the-profile", call = "POST /wallets" }]
"""
WALLET = {"network": "EthereumSepolia", "name": "one"}


@dataclass(frozen=True)
class Observed:
    """What a gateway says of the rules of its calls."""

    running: RunningGateway
    folder: Path
    admin: Path
    log: pytest.LogCaptureFixture

    def audited(self, member: str = "rule") -> list[Any]:
        records = map(json.loads, (self.folder / "audit.jsonl").read_text().splitlines())
        return [each.get(member) for each in records if each["event"] == "decided"]

    def logged(self) -> list[Any]:
        of_requests = [each for each in self.log.records if each.name == REQUESTS]
        return [vars(each)["members"].get("rule") for each in of_requests]

    def counted(self) -> list[str]:
        transport = httpx.HTTPTransport(uds=str(self.admin))
        with httpx.Client(transport=transport, base_url="http://localhost") as admin:
            text = admin.get("/metrics").text
        return re.findall(r'^dfns_gateway_requests_total{.*rule="([^"]*)"', text, re.MULTILINE)


@contextmanager
def gateway(folder: Path, log: pytest.LogCaptureFixture, caller: str) -> Iterator[Observed]:
    """A gateway with a caller, and with rules of its profile."""
    log.set_level(logging.INFO)
    # The name of a socket has to be short.
    with tempfile.TemporaryDirectory(prefix="gw-") as name, Emulator() as emulator:
        admin = Path(name) / "admin.sock"
        settings = f'{LISTEN}\nadmin = "unix:{admin}"\n{caller}'
        with served(configuration(folder, emulator, settings, PROFILE)) as urls:
            yield Observed(RunningGateway(urls, emulator), folder, admin, log)


def test_rule_whose_rate_had_room_is_the_one_that_is_named(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with gateway(tmp_path, caplog, PLAIN) as observed, observed.running.client() as client:
        statuses = [client.post("/wallets", json=WALLET).status_code for _ in range(3)]

        assert statuses == [200, 200, 429]
        assert observed.counted() == ["few", "named", "few"]
    assert observed.logged() == ["few", "named", "few"]
    assert observed.audited() == ["few", "named", "few"]
    assert observed.audited("profileRule") == ["of-the-profile", "of-the-profile", None]


def test_announcement_names_the_rule_and_the_answer_to_a_challenge_asks_none(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caller = signing_caller(tmp_path, RULES)
    with gateway(tmp_path, caplog, caller) as observed, by_hand(observed.running) as sdk:
        assert sdk.call("POST", "/wallets", WALLET).status_code == 200

    assert observed.logged() == ["few", None, "few"]
    assert observed.audited() == ["few"]
