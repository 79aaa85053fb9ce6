"""``docs/policy.md`` says what rules do."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from dfns_signers.config.loading import load_profile
from dfns_signers.config.profile_guards import configured_policy
from dfns_signers.errors import ConfigurationError, PolicyRefusedError
from dfns_signers.policy.members import dotted
from dfns_signers.policy.policy import Policy
from dfns_signers.policy.powerful_members import POWERFUL_MEMBERS
from dfns_signers.policy.rule import Rule
from dfns_signers.policy.sensitive_reads import SENSITIVE_READS
from tests.core.cli.support import COMMANDS
from tests.core.config.support import write_config
from tests.core.policy.support import call, policy
from tests.support.pages import DOCS, blocks, option_rows, rows, section

PAGE = "policy.md"
(EXAMPLE,) = blocks((DOCS / PAGE).read_text(encoding="utf-8").partition("\n## ")[0], "toml")
BODY: Mapping[str, Any] = {
    "kind": "Native",
    "to": "0x00000000219AB540356CBB839CBE05303D7705FA",
    "amount": "1000000000000000000",
    "externalId": "order-7",
}
PATH = "/wallets/wa-1f04s-lqc9q-86l6l8l5pscr9pk0/transfers"


@pytest.fixture
def rules(folder: Path) -> Policy:
    """Those of the first example."""
    found = configured_policy(load_profile("production", config=write_config(folder, EXAMPLE)))
    assert found is not None
    return found


def test_keys_of_a_rule_are_those_of_the_model() -> None:
    assert rows(section(PAGE, "What a rule says")) == option_rows(Rule)


def test_sensitive_reads_are_those_of_the_engine() -> None:
    shown = rows(section(PAGE, "Reads of a caller of the gateway"))

    assert shown == [f"| `{one}` |" for one in SENSITIVE_READS]


def test_members_that_give_power_are_those_of_the_engine() -> None:
    shown = rows(section(PAGE, "Members that give power away"))

    assert shown == [
        f"| `{operation}` | `{dotted(name)}` |"
        for operation, names in POWERFUL_MEMBERS.items()
        for name in sorted(names)
    ]


def test_example_allows_what_it_is_meant_for(rules: Policy) -> None:
    wallet = {"network": "EthereumSepolia", "name": "test"}

    assert rules.judge(call("POST", PATH, dict(BODY))).rule == "payouts"
    assert rules.judge(call("POST", "/wallets", wallet)).rule == "test wallets"
    assert rules.judge(call("POST", "/wallets", {"network": "Ethereum"})).rule is None


def test_refusal_is_the_one_that_is_shown(rules: Policy) -> None:
    (shown,) = blocks(section(PAGE, "Refusals"), "text")

    with pytest.raises(PolicyRefusedError) as caught:
        rules.require(call("POST", PATH, {**BODY, "amount": "1000000000000000001"}))

    assert str(caught.value) == shown.strip()


def test_error_in_a_rule_is_the_one_that_is_shown(working_folder: Path) -> None:
    text = section(PAGE, "Errors in rules")
    (wrong,), (shown,) = blocks(text, "toml"), blocks(text, "text")
    write_config(working_folder, wrong)

    with pytest.raises(ConfigurationError) as caught:
        configured_policy(load_profile("production", config="config.toml"))

    assert str(caught.value) == shown.strip()


def test_checks_that_are_listed_are_those_of_the_engine() -> None:
    """Each by a call that it refuses; the challenge alone has a test of its own."""
    one = {"call": "POST /wallets", "body": {"network": "Base"}, "rate": "1/minute"}
    wallet = {"network": "Base"}
    found = {
        policy(one).judge(call("POST", "/keys")).check,
        policy(one).judge(call("POST", "/wallets", {"network": "Ethereum"})).check,
        policy(one, read_only=True).judge(call("POST", "/wallets", wallet)).check,
        policy(one).judge(call("POST", "/wallets/../wallets", wallet)).check,
    }
    with pytest.raises(PolicyRefusedError) as caught:
        policy(one, count=lambda _rule, _rate: 1.0).admit(call("POST", "/wallets", wallet))

    listed = [row.split("`")[1] for row in rows(section(PAGE, "Refusals"))]
    assert {*listed} == {*found, caught.value.check, "unknown-call"}


def test_commands_that_are_shown_exist() -> None:
    (shown,) = blocks(section(PAGE, "What decides, and why"), "sh")

    for line in shown.splitlines():
        program, *words = shlex.split(line)
        assert program == "dfns-signers"
        assert tuple(words[:2]) in COMMANDS
        if "--json" in words:
            json.loads(words[words.index("--json") + 1])
