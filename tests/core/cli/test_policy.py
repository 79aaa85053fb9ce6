"""``policy check``: the rules as a table, and what they say of a call."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dfns_signers.cli.exit_codes import ExitCode
from tests.core.cli.support import Command
from tests.core.config.support import write_config
from tests.core.policy.support import DIGEST

TO = "0x00000000219ab540356cBB839Cbe05303d7705Fa"
BODY = {"kind": "Native", "to": TO, "amount": "100", "externalId": "order-7"}
TRANSFER = ("--explain", "POST", "/wallets/wa-1/transfers")
PROFILE = """
default_profile = "p"
[profiles.p]
credential_id = "Y2kt"
signer = "pem:?path=key.pem"
"""
RULES = f"""
[[profiles.p.allow]]
name = "payouts"
call = "POST /wallets/{{walletId}}/transfers"
path.walletId = ["wa-1", "wa-2"]
body.kind = "Native"
body.to = ["{TO.lower()}"]
body.amount = {{ max = "100" }}
require = ["externalId"]
rate = "10/minute"

[[profiles.p.allow]]
name = "wallets"
call = "POST /wallets"
"""
GATEWAY = f"""
[gateway]
listen = ["127.0.0.1:0"]
[gateway.callers.payments]
token_sha256 = ["{DIGEST}"]
reads = true
[[gateway.callers.payments.allow]]
name = "send"
call = "POST /wallets/{{walletId}}/transfers"
members = ["kind", "to", "amount", "externalId"]
"""


@pytest.fixture
def config(folder: Path) -> Path:
    return write_config(folder, PROFILE + RULES + GATEWAY)


def test_rules_are_listed_with_class_conditions_and_rate(command: Command, config: Path) -> None:
    done = command("policy", "check", "--config", config, "--json-output")

    assert done.code == 0
    assert done.json == [
        {
            "rules_of": "the profile 'p'",
            "name": "payouts",
            "call": "POST /wallets/{walletId}/transfers",
            "class": "money",
            "conditions": [
                "walletId: wa-1 | wa-2",
                "body.kind: Native",
                f"body.to: {TO.lower()}",
                "body.amount: 0 to 100",
                "requires externalId",
                "members: amount, externalId, kind, to",
            ],
            "rate": "10/minute",
        },
        {
            "rules_of": "the profile 'p'",
            "name": "wallets",
            "call": "POST /wallets",
            "class": "ordinary",
            "conditions": ["without: delegateTo, signingKey.deriveFrom, signingKey.id"],
            "rate": None,
        },
    ]


def test_rules_are_a_table_for_people(command: Command, config: Path) -> None:
    done = command("policy", "check", "--config", config)

    assert done.code == 0
    for word in ("payouts", "POST /wallets/{walletId}/transfers", "money", "0 to 100", "10/minute"):
        assert word in done.out


def test_rule_that_can_never_match_is_a_configuration_error(command: Command, folder: Path) -> None:
    config = write_config(folder, PROFILE + RULES.replace("body.kind", "body.knd"))

    done = command("policy", "check", "--config", config)

    assert done.code == ExitCode.CONFIGURATION
    assert "key 'allow': rule 'payouts': the body of POST" in done.err
    assert "did you mean 'kind'?" in done.err


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ("", "has no rules: whatever it is asked to sign, it signs"),
        ("read_only = true", "read-only"),
    ],
)
def test_profile_without_rules_is_said_to_have_none(
    command: Command, folder: Path, lines: str, said: str
) -> None:
    done = command("policy", "check", "--config", write_config(folder, PROFILE + lines))

    assert (done.code, said in done.err) == (0, True)


def test_call_that_is_allowed_is_explained_by_its_rule(command: Command, config: Path) -> None:
    done = command("policy", "check", "--config", config, *TRANSFER, "--json", json.dumps(BODY))

    assert done.code == 0
    assert done.out.startswith(
        "allowed: the profile 'p' allows POST /wallets/wa-1/transfers by rule 'payouts'\n"
    )
    assert "is about another operation" in done.out


def test_call_that_is_refused_is_explained_and_ends_with_its_exit_code(
    command: Command, config: Path
) -> None:
    body = json.dumps({**BODY, "amount": "101", "memo": "x"})

    done = command("policy", "check", "--config", config, *TRANSFER, "--json", body)

    assert done.code == ExitCode.REFUSED
    assert done.out.startswith("refused (conditions): the profile 'p' does not allow")
    assert "'amount' is over its max; 'memo' is not in its 'members'" in done.out


def test_explanation_is_json_for_programs(command: Command, config: Path) -> None:
    body = json.dumps({**BODY, "amount": "101"})

    done = command(
        "policy", "check", "--config", config, *TRANSFER, "--json", body, "--json-output"
    )

    assert (done.code, done.json) == (
        ExitCode.REFUSED,
        {
            "call": "POST /wallets/wa-1/transfers",
            "allowed": False,
            "decisions": [
                {
                    "rules_of": "the profile 'p'",
                    "asked": True,
                    "allowed": False,
                    "rule": "payouts",
                    "check": "conditions",
                    "rules": [
                        {
                            "name": "payouts",
                            "names_the_operation": True,
                            "allows": False,
                            "failures": ["'amount' is over its max"],
                        },
                        {
                            "name": "wallets",
                            "names_the_operation": False,
                            "allows": False,
                            "failures": [],
                        },
                    ],
                }
            ],
        },
    )


@pytest.mark.parametrize("way", ["file", "stdin"])
def test_body_is_read_from_a_file_or_standard_input(
    command: Command, config: Path, folder: Path, way: str
) -> None:
    (folder / "body.json").write_text(json.dumps(BODY))
    value = f"@{folder / 'body.json'}" if way == "file" else "-"

    done = command(
        "policy", "check", "--config", config, *TRANSFER, "--json", value, stdin=json.dumps(BODY)
    )

    assert done.code == 0


def test_query_is_explained_too(command: Command, config: Path) -> None:
    explain = ("--explain", "POST", "/wallets", "--param", "force=true")

    done = command("policy", "check", "--config", config, *explain)

    assert done.code == ExitCode.REFUSED
    assert "the query parameter 'force' is not in its 'query'" in done.out


@pytest.mark.parametrize("call", [("GET", "/wallets"), ("POST", "/swaps/quotes")])
def test_call_that_is_not_signed_is_not_for_a_signer_to_judge(
    command: Command, config: Path, call: tuple[str, str]
) -> None:
    done = command("policy", "check", "--config", config, "--explain", *call)

    assert done.code == 0
    assert f"{' '.join(call)} is not signed: the profile 'p' does not judge it" in done.out


def test_rules_of_a_caller_and_of_the_profile_must_both_allow(
    command: Command, config: Path
) -> None:
    words = ("policy", "check", "--config", config, "--caller", "payments", *TRANSFER, "--json")
    allowed = command(*words, json.dumps(BODY))
    refused = command(*words, json.dumps({**BODY, "amount": "101"}))

    assert allowed.code == 0
    assert "allowed: the caller 'payments' allows" in allowed.out
    assert refused.code == ExitCode.REFUSED
    assert "allowed: the caller 'payments' allows" in refused.out
    assert "refused (conditions): the profile 'p' does not allow" in refused.out


def test_caller_may_read_by_no_rule(command: Command, config: Path) -> None:
    words = ("policy", "check", "--config", config, "--caller", "payments", "--explain", "GET")

    assert "by no rule, for none is needed" in command(*words, "/wallets").out
    sensitive = command(*words, "/auth/pats")
    assert (sensitive.code, "'reads' is not enough" in sensitive.out) == (ExitCode.REFUSED, True)


def test_caller_that_does_not_exist_is_refused_with_the_near_miss(
    command: Command, config: Path
) -> None:
    done = command("policy", "check", "--config", config, "--caller", "payment")

    assert done.code == ExitCode.CONFIGURATION
    assert "the gateway has no caller 'payment' (did you mean 'payments'?)" in done.err


@pytest.mark.parametrize("words", [("--json", "{}"), ("--param", "a=b")])
def test_body_or_query_without_a_call_is_a_usage_error(
    command: Command, config: Path, words: tuple[str, str]
) -> None:
    done = command("policy", "check", "--config", config, *words)

    assert (done.code, "--explain METHOD PATH" in done.err) == (ExitCode.USAGE, True)


def test_body_with_a_member_twice_is_a_usage_error(command: Command, config: Path) -> None:
    done = command("policy", "check", "--config", config, *TRANSFER, "--json", '{"a":1,"a":2}')

    assert (done.code, "'a' is given twice" in done.err) == (ExitCode.USAGE, True)
