"""Attacks on the rules of a caller: none is heard of by the API."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from dfns_signers.errors import ConfigurationError
from tests.gateway.running import DIGEST, LISTEN, RunningGateway, running_gateway

DESTINATION = "0x00000000219ab540356cbb839cbe05303d7705fa"
TRANSFER = {"kind": "Native", "to": DESTINATION, "amount": "1000", "externalId": "order-7"}
PATH = "/wallets/wa-1/transfers"
CALLER = f"""
[gateway.callers.payments]
token_sha256 = ["{DIGEST}"]
reads = true

[[gateway.callers.payments.allow]]
name = "payouts"
call = "POST /wallets/{{walletId}}/transfers"
path.walletId = ["wa-1"]
body.kind = ["Native"]
body.to = ["{DESTINATION}"]
body.amount = {{ max = "1000" }}
require = ["externalId"]
"""


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningGateway]:
    with running_gateway(tmp_path_factory.mktemp("gateway"), LISTEN + CALLER) as running:
        yield running


def posted(gateway: RunningGateway, body: Any, path: str = PATH) -> tuple[httpx.Response, int]:
    """The answer to a body, which may be text, and the requests that the API heard of it."""
    content = body if isinstance(body, str) else json.dumps(body)
    before = len(gateway.emulator.requests)
    with gateway.client() as caller:
        answer = caller.post(
            path, content=content.encode(), headers={"Content-Type": "application/json"}
        )
    return answer, len(gateway.emulator.requests) - before


def check_of(answer: httpx.Response) -> Any:
    return answer.json()["error"]["details"]["gateway"]


def test_transfer_that_a_rule_allows_reaches_the_api(gateway: RunningGateway) -> None:
    _, heard = posted(gateway, TRANSFER)

    assert heard > 0
    assert gateway.emulator.requests[-1].raw_path == PATH


@pytest.mark.parametrize(
    "amount",
    [
        *(
            '"1e3"',
            '"1E2"',
            '"+1"',
            '"-1"',
            '"01"',
            '" 1"',
            '"1 "',
            '"1.0"',
            '"0x1"',
            '""',
            '"1_0"',
        ),
        *(
            '"\uff11"',
            '"\u0661"',
            '"1001"',
            "1",
            "1.0",
            "1e2",
            "true",
            "null",
            '["1"]',
            '{"max":"1"}',
        ),
    ],
)
def test_number_of_another_form_does_not_pass_the_amount_of_a_rule(
    gateway: RunningGateway, amount: str
) -> None:
    body = json.dumps(TRANSFER).replace('"1000"', amount)

    answer, heard = posted(gateway, body)

    assert (answer.status_code, check_of(answer), heard) == (403, "conditions", 0)


def test_destination_in_the_case_of_its_checksum_is_the_same_destination(
    gateway: RunningGateway,
) -> None:
    _, heard = posted(gateway, {**TRANSFER, "to": "0x00000000219ab540356cBB839Cbe05303d7705Fa"})

    assert heard > 0


@pytest.mark.parametrize("to", [DESTINATION.replace("a", "\u0430"), f"{DESTINATION} ", "0x0"])
def test_destination_that_looks_alike_does_not_pass(gateway: RunningGateway, to: str) -> None:
    answer, heard = posted(gateway, {**TRANSFER, "to": to})

    assert (answer.status_code, check_of(answer), heard) == (403, "conditions", 0)


@pytest.mark.parametrize("name", ["memo", "contract", "feeSponsorId", "Amount", "travelRule"])
def test_member_that_a_rule_does_not_name_does_not_pass(gateway: RunningGateway, name: str) -> None:
    answer, heard = posted(gateway, {**TRANSFER, name: "x"})

    assert (answer.status_code, check_of(answer), heard) == (403, "conditions", 0)


@pytest.mark.parametrize("name", sorted(TRANSFER))
@pytest.mark.parametrize("comes_last", [False, True])
def test_member_given_twice_does_not_pass(
    gateway: RunningGateway, name: str, comes_last: bool
) -> None:
    rest, twice = json.dumps(TRANSFER)[1:-1], f'"{name}": "other"'

    answer, heard = posted(
        gateway, f"{{{rest}, {twice}}}" if comes_last else f"{{{twice}, {rest}}}"
    )

    assert (answer.status_code in {400, 403}, heard) == (True, 0)


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/auth/service-accounts", {"name": "mine", "publicKey": "x"}),
        ("/auth/pats", {"name": "mine"}),
        ("/auth/credentials", {}),
        ("/permissions/pm-1/assignments", {"identityId": "us-1"}),
        ("/v2/policy-approvals/ap-1/decisions", {"value": "Approved"}),
        ("/keys/key-1/export", {}),
        ("/wallets/import", {}),
        ("/webhooks", {"url": "https://attacker.example"}),
        ("/auth/tokens", {}),
        ("/auth/login", {}),
        ("/keys/key-1/signatures", {"kind": "Hash", "hash": "0x00"}),
    ],
)
def test_caller_cannot_give_itself_power_by_what_no_rule_names(
    gateway: RunningGateway, path: str, body: Any
) -> None:
    answer, heard = posted(gateway, body, path)

    assert (answer.status_code, check_of(answer), heard) == (403, "no-rule", 0)


@pytest.mark.parametrize(
    ("call", "flag"),
    [
        ("POST /auth/service-accounts", "escalates"),
        ("POST /auth/tokens", "escalates"),
        ("POST /keys/{keyId}/signatures", "blind"),
    ],
)
def test_gateway_does_not_start_with_a_rule_that_escalates_unsaid(
    tmp_path: Path, call: str, flag: str
) -> None:
    rule = f'[[gateway.callers.payments.allow]]\nname = "more"\ncall = "{call}"\nmembers = "any"\n'

    with (
        pytest.raises(ConfigurationError, match=f"a rule allows it only with {flag} = true"),
        running_gateway(tmp_path, LISTEN + CALLER + rule),
    ):
        pass


WALLETS = """
[[gateway.callers.payments.allow]]
name = "wallets"
call = "POST /wallets"
"""


@pytest.mark.parametrize(
    "power", [{"signingKey": {"id": "key-1"}}, {"delegateTo": "us-1"}, {"delegateTo": None}]
)
def test_call_that_may_be_ordinary_gives_no_power_by_a_member(tmp_path: Path, power: Any) -> None:
    with running_gateway(tmp_path, LISTEN + CALLER + WALLETS) as gateway:
        _, ordinary = posted(gateway, {"network": "Base", "name": "mine"}, "/wallets")
        answer, heard = posted(gateway, {"network": "Base", **power}, "/wallets")

    assert ordinary > 0
    assert (answer.status_code, check_of(answer), heard) == (403, "conditions", 0)


@pytest.mark.parametrize(
    "path", ["/auth/pats", "/auth/action/logs", "/auth/service-accounts", "/auth/credentials"]
)
def test_reads_do_not_give_out_tokens_and_credentials(gateway: RunningGateway, path: str) -> None:
    before = len(gateway.emulator.requests)

    with gateway.client() as caller:
        answer, other = caller.get(path), caller.get("/wallets")

    assert (answer.status_code, check_of(answer), other.status_code) == (403, "no-rule", 200)
    assert len(gateway.emulator.requests) - before == 1


UNSIGNED = """
[[gateway.callers.payments.allow]]
name = "tokens"
call = "POST /auth/tokens"
escalates = true
members = "any"
"""


@pytest.mark.parametrize("path", ["/auth/tokens", PATH])
def test_read_only_gateway_sends_no_write_signed_or_not(tmp_path: Path, path: str) -> None:
    with running_gateway(tmp_path, LISTEN + CALLER + UNSIGNED, "read_only = true") as gateway:
        answer, heard = posted(gateway, TRANSFER, path)

    assert (answer.status_code, check_of(answer), heard) == (403, "read-only", 0)
