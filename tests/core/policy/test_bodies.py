"""What a rule says of a body is met by what it says, and by nothing that looks like it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from tests.core.policy.support import (
    DESTINATION,
    PAYOUTS,
    TRANSFER,
    TRANSFERS,
    call,
    policy,
    reasons,
    transfer,
)

PATH = "/wallets/wa-1/transfers"
ODD_AMOUNTS = [
    *("1e2", "1E2", "+1", "-1", "01", "00", " 1", "1 ", "1\n", "1.0", "1.", ".5", "0x1", "1_0", ""),
    *("\uff11", "\u0661", "1\u200b", "1,0", "NaN", "Infinity", "٣", "1" * 79),
]


def test_transfer_that_meets_all_conditions_is_allowed() -> None:
    assert policy(PAYOUTS).judge(transfer()).rule == "payouts"


@pytest.mark.parametrize("amount", ["0", "1", "999", "1000"])
def test_amount_up_to_its_max_is_allowed(amount: str) -> None:
    assert reasons(policy(PAYOUTS), transfer(amount=amount)) == []


@pytest.mark.parametrize("amount", ["1001", "10000", "9" * 78])
def test_amount_over_its_max_is_refused(amount: str) -> None:
    assert reasons(policy(PAYOUTS), transfer(amount=amount)) == ["'amount' is over its max"]


def test_amount_under_its_min_is_refused() -> None:
    rules = policy({**PAYOUTS, "body": {**PAYOUTS["body"], "amount": {"min": 10, "max": "1000"}}})

    assert reasons(rules, transfer(amount="9")) == ["'amount' is under its min"]
    assert reasons(rules, transfer(amount="10")) == []


@pytest.mark.parametrize("amount", ODD_AMOUNTS)
def test_amount_in_another_form_is_refused(amount: str) -> None:
    (reason,) = reasons(policy(PAYOUTS), transfer(amount=amount))

    assert reason.startswith("'amount' is not an amount")


@pytest.mark.parametrize("amount", [1, 1.0, 1e2, True, None, ["1"], {"max": "1"}])
def test_amount_that_is_not_a_string_is_refused(amount: Any) -> None:
    (reason,) = reasons(policy(PAYOUTS), transfer(amount=amount))

    assert reason.startswith("'amount' is not an amount")


def test_range_without_max_has_no_upper_end() -> None:
    rules = policy({**PAYOUTS, "body": {**PAYOUTS["body"], "amount": {"min": "5"}}})

    assert reasons(rules, transfer(amount="9" * 78)) == []
    assert reasons(rules, transfer(amount="4")) != []


@pytest.mark.parametrize("to", [DESTINATION.upper().replace("0X", "0x"), DESTINATION])
def test_hexadecimal_address_is_compared_without_case(to: str) -> None:
    assert reasons(policy(PAYOUTS), transfer(to=to)) == []


@pytest.mark.parametrize(
    "to",
    [
        DESTINATION[2:],
        DESTINATION[:-1],
        f"{DESTINATION}0",
        f" {DESTINATION}",
        DESTINATION.replace("0x", "0X"),
        DESTINATION.replace("a", "\u0430"),
        [DESTINATION],
    ],
)
def test_other_spelling_of_a_destination_is_refused(to: Any) -> None:
    assert reasons(policy(PAYOUTS), transfer(to=to)) == ["'to' is not one of its values"]


def test_address_that_is_not_hexadecimal_is_compared_with_case() -> None:
    """In base58 another case is another address."""
    listed = "7xKXtg2CW87d97TXJSDpbD5jBkheTqA83TZRuJosgAsU"
    rules = policy({**PAYOUTS, "body": {**PAYOUTS["body"], "to": listed}})

    assert reasons(rules, transfer(to=listed)) == []
    assert reasons(rules, transfer(to=listed.lower())) == ["'to' is not one of its values"]


def test_memo_that_looks_hexadecimal_is_compared_with_case() -> None:
    """It is no bytes, and another one may name another receiver."""
    rules = policy({**PAYOUTS, "body": {**PAYOUTS["body"], "memo": "0xAbCd"}})

    assert reasons(rules, transfer(memo="0xAbCd")) == []
    assert reasons(rules, transfer(memo="0xabcd")) == ["'memo' is not one of its values"]


@pytest.mark.parametrize(
    ("listed", "value"),
    [(True, 1), (True, "true"), (False, 0), (False, None), (False, "")],
)
def test_value_of_another_type_is_another_value(listed: Any, value: Any) -> None:
    rules = policy({**PAYOUTS, "body": {**PAYOUTS["body"], "offer": listed}})

    assert reasons(rules, transfer(offer=listed)) == []
    assert reasons(rules, transfer(offer=value)) == ["'offer' is not one of its values"]


@pytest.mark.parametrize("value", [5.0, "5", True, 50])
def test_integer_is_met_by_that_integer_alone(value: Any) -> None:
    rules = policy(
        {
            "call": "POST /wallets/{walletId}/transactions",
            "body": {"kind": "CreateSolanaNonceAccounts", "count": [5]},
            "blind": True,
        }
    )
    path = "/wallets/wa-1/transactions"
    body = {"kind": "CreateSolanaNonceAccounts", "count": 5}

    assert reasons(rules, call("POST", path, body)) == []
    assert reasons(rules, call("POST", path, {**body, "count": value})) != []


@pytest.mark.parametrize(
    "extra",
    [
        {"memo": "x"},
        {"memo": None},
        {"feeSponsorId": "fs-1"},
        {"contract": DESTINATION},
        {"Amount": "1"},
        {"to ": DESTINATION},
        {"travelRule": {}},
        {"body.to": "x"},
    ],
)
def test_member_that_the_rule_does_not_name_is_refused(extra: dict[str, Any]) -> None:
    (reason,) = reasons(policy(PAYOUTS), transfer(**extra))

    assert reason.endswith("is not in its 'members'")


def test_name_of_a_member_that_no_operation_has_is_not_repeated() -> None:
    (reason,) = reasons(policy(PAYOUTS), transfer(**{"my secret is tango": 1}))

    assert reason == "a member of another name is not in its 'members'"


def test_members_that_are_listed_may_have_any_value() -> None:
    rules = policy(
        {"call": TRANSFERS, "members": ["kind", "to", "amount", "memo", "travelRule.kind"]}
    )
    body = {"kind": "Native", "to": "x", "amount": "1", "memo": "anything"}

    assert reasons(rules, call("POST", PATH, body)) == []
    assert reasons(rules, call("POST", PATH, {**body, "travelRule": {"kind": "N"}})) == []


def test_object_that_is_listed_in_part_is_looked_into() -> None:
    rules = policy({"call": TRANSFERS, "members": ["kind", "to", "amount", "travelRule.kind"]})
    body = {"kind": "Native", "to": "x", "amount": "1", "travelRule": {"kind": "N", "more": 1}}

    assert reasons(rules, call("POST", PATH, body)) == ["'travelRule.more' is not in its 'members'"]


def test_array_in_the_place_of_an_object_is_refused() -> None:
    rules = policy({"call": TRANSFERS, "members": ["kind", "to", "amount", "travelRule.kind"]})
    body = {"kind": "Native", "to": "x", "amount": "1", "travelRule": [{"kind": "N"}]}

    assert reasons(rules, call("POST", PATH, body)) == ["'travelRule' is not in its 'members'"]


def test_member_with_a_dot_in_its_name_is_not_a_nested_one() -> None:
    rules = policy(
        {"call": "POST /wallets", "body": {"network": "Base", "signingKey": {"id": "key-1"}}}
    )
    nested = {"network": "Base", "signingKey": {"id": "key-1"}}

    assert reasons(rules, call("POST", "/wallets", nested)) == []
    for odd in ({"network": "Base", "signingKey.id": "key-1"}, {**nested, "signingKey.id": "x"}):
        assert reasons(rules, call("POST", "/wallets", odd)) != []


@pytest.mark.parametrize("value", ["", " ", "\t\n", None])
def test_required_member_that_says_nothing_is_missing(value: Any) -> None:
    assert reasons(policy(PAYOUTS), transfer(externalId=value)) == ["'externalId' is missing"]


def test_required_member_that_is_not_there_is_missing() -> None:
    body = {name: value for name, value in TRANSFER.items() if name != "externalId"}

    assert reasons(policy(PAYOUTS), call("POST", PATH, body)) == ["'externalId' is missing"]


@pytest.mark.parametrize(
    "text",
    [
        json.dumps(TRANSFER)[:-1] + ', "to": "x"}',
        json.dumps(TRANSFER) + " {}",
        "[]",
        '"x"',
        "null",
        "NaN",
        "not JSON",
        "\ufeff{}",
        '{"kind":"\\ud800"}',
        "[" * 200 + "]" * 200,
    ],
)
def test_body_that_readers_read_differently_is_refused(text: str) -> None:
    assert reasons(policy(PAYOUTS), call("POST", PATH, text)) == [
        "the body is not a JSON object that every reader reads alike"
    ]


def test_no_body_has_no_member_that_a_rule_wants() -> None:
    missing = reasons(policy(PAYOUTS), call("POST", PATH))

    assert missing == reasons(policy(PAYOUTS), call("POST", PATH, {}))
    assert missing[0].startswith("'kind' is missing; 'to' is missing")


@pytest.mark.parametrize("body", [None, {}])
def test_call_without_a_body_may_have_none_or_an_empty_one(body: Any) -> None:
    rules = policy({"call": "POST /wallets/{walletId}/transfers/{transferId}/cancel"})
    path = "/wallets/wa-1/transfers/xfr-1/cancel"

    assert reasons(rules, call("POST", path, body)) == []
    assert reasons(rules, call("POST", path, {"to": "x"})) == ["'to' is not in its 'members'"]


def test_body_of_an_ordinary_call_is_open_unless_the_rule_speaks_of_it() -> None:
    free = {"network": "Base", "name": "anything", "tags": ["a"]}

    assert reasons(policy({"call": "POST /wallets"}), call("POST", "/wallets", free)) == []
    assert reasons(
        policy({"call": "POST /wallets", "body": {"network": ["Base"]}}),
        call("POST", "/wallets", free),
    ) == ["'name' is not in its 'members'; 'tags' is not in its 'members'"]


NEW_KEY = {"scheme": "EdDSA", "curve": "ed25519"}
NEW_WALLET = {"network": "Base"}


@pytest.mark.parametrize("require", [False, True])
@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/keys", {**NEW_KEY, "delegateTo": "us-1"}),
        ("/keys", {**NEW_KEY, "deriveFrom": {"keyId": "key-1"}}),
        ("/wallets", {**NEW_WALLET, "delegateTo": "us-1"}),
        ("/wallets", {**NEW_WALLET, "delegateTo": None}),
        ("/wallets", {**NEW_WALLET, "signingKey": {"id": "key-1"}}),
        ("/wallets", {**NEW_WALLET, "signingKey": {"deriveFrom": {"keyId": "key-1"}}}),
    ],
)
def test_what_gives_power_in_an_ordinary_call_passes_only_where_the_rule_says_so(
    path: str, body: Mapping[str, Any], require: bool
) -> None:
    rule = {"call": f"POST {path}", "require": [*body][:1] if require else []}
    judged = call("POST", path, dict(body))

    assert reasons(policy({**rule, "members": [*body]}), judged) == []
    assert reasons(policy({**rule, "members": "any"}), judged) == []
    (said,) = reasons(policy(rule), judged)
    assert said.endswith("gives power, which a rule allows only if its 'members' has it")


def test_rule_that_requires_what_gives_power_allows_it() -> None:
    rules = policy({"call": "POST /wallets", "require": ["delegateTo"]})
    body = {"network": "Base", "delegateTo": "us-1"}

    assert reasons(rules, call("POST", "/wallets", body)) == []
    assert reasons(rules, call("POST", "/wallets", {**body, "signingKey": {"id": "key-1"}})) != []


def test_new_key_of_a_kind_gives_no_power() -> None:
    body = {"network": "Base", "signingKey": {"scheme": "ECDSA", "curve": "secp256k1"}}

    assert reasons(policy({"call": "POST /wallets"}), call("POST", "/wallets", body)) == []


def test_body_that_readers_read_differently_may_give_power() -> None:
    twice = '{"delegateTo": "us-1", "network": "Base", "network": "Base"}'

    assert reasons(policy({"call": "POST /wallets"}), call("POST", "/wallets", twice)) != []


def test_rule_may_leave_the_other_members_open() -> None:
    rules = policy({"call": "POST /wallets", "body": {"network": "Base"}, "members": "any"})

    assert reasons(rules, call("POST", "/wallets", {"network": "Base", "name": "n"})) == []
    assert reasons(rules, call("POST", "/wallets", {"network": "Polygon"})) != []


def test_reason_repeats_no_value_of_the_body() -> None:
    secret = "tango-4711"
    judged = transfer(
        to=secret, amount=secret, kind=secret, externalId="", memo=secret, travelRule={"a": secret}
    )

    (reason,) = reasons(policy(PAYOUTS), judged)
    with pytest.raises(Exception, match="payouts") as caught:
        policy(PAYOUTS).require(judged)

    assert secret not in reason + str(caught.value) + json.dumps(caught.value.args)
