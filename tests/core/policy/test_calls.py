"""Which calls a rule is about: operation, path parameters and query."""

from __future__ import annotations

import pytest

from tests.core.policy.support import PAYOUTS, TRANSFERS, call, policy, reasons, transfer

BOTH = {"escalates": True, "blind": True}


def test_template_names_calls_of_its_operation_with_any_identifier() -> None:
    rules = policy({"call": "PUT /wallets/{walletId}"})

    assert rules.judge(call("PUT", "/wallets/wa-1", {"name": "n"})).rule == "rule"
    assert rules.judge(call("PUT", "/wallets/wa-2", {"name": "n"})).rule == "rule"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/wallets/wa-1"),
        ("DELETE", "/wallets/wa-1"),
        ("PUT", "/wallets"),
        ("PUT", "/wallets/wa-1/tags"),
        ("PUT", "/vaults/wa-1"),
        ("PUT", "/Wallets/wa-1"),
        ("put", "/wallets/wa-1"),
    ],
)
def test_other_operation_is_not_named(method: str, path: str) -> None:
    assert policy({"call": "PUT /wallets/{walletId}"}).judge(call(method, path)).check == "no-rule"


@pytest.mark.parametrize(
    "keys",
    [
        {"call": "PUT /wallets/wa-1"},
        {"call": "PUT /wallets/{walletId}", "path": {"walletId": ["wa-1"]}},
    ],
)
def test_identifier_in_the_place_of_a_placeholder_is_a_condition(keys: dict[str, object]) -> None:
    rules = policy(keys)

    assert reasons(rules, call("PUT", "/wallets/wa-1", {"name": "n"})) == []
    assert reasons(rules, call("PUT", "/wallets/WA-1", {"name": "n"})) == [
        "the path parameter 'walletId' is not one of its values"
    ]


def test_literal_segment_is_not_an_identifier() -> None:
    rules = policy({"call": "GET /keys/{keyId}"}, {"name": "all", "call": "GET /keys"})

    assert rules.judge(call("GET", "/keys/import")).rule == "rule"
    assert policy({"call": "GET /wallets/{walletId}"}).judge(
        call("GET", "/wallets/bulk-create")
    ).check == ("no-rule")


def test_value_of_a_path_parameter_is_compared_decoded() -> None:
    rules = policy({"call": "PUT /wallets/{walletId}", "path": {"walletId": ["a b"]}})

    assert reasons(rules, call("PUT", "/wallets/a%20b", {"name": "n"})) == []


@pytest.mark.parametrize(
    "path",
    [
        "/wallets/wa-2/../wa-1/transfers",
        "/wallets/./wa-1/transfers",
        "/wallets//wa-1/transfers",
        "/wallets/wa-1/transfers/",
        "/wallets/wa%2D1/transfers",
        "/wallets/%77a-1/transfers",
        "/wallets/wa-1%2Ftransfers",
        "/wallets/wa-1%252Ftransfers",
        "/wallets/wa-1;x=1/transfers",
        "/wallets/wa-1\\transfers",
        "/wallets/wa-1/transfers?x=1",
        "/wallets/wa-1/transfers#x",
        "/wallets/wa-1%00/transfers",
        "//wallets/wa-1/transfers",
        "wallets/wa-1/transfers",
        "https://api.dfns.io/wallets/wa-1/transfers",
        "",
    ],
)
def test_path_of_another_spelling_is_refused_whatever_the_rules_say(path: str) -> None:
    allowed = transfer()
    rules = policy(PAYOUTS)

    assert rules.judge(allowed).rule == "payouts"
    assert rules.judge(call("POST", path, allowed.payload)).check == "path"


def test_signed_call_has_no_query_unless_the_rule_names_its_parameters() -> None:
    plain = policy({"call": "PUT /wallets/{walletId}"})
    judged = call("PUT", "/wallets/wa-1", {"name": "n"}, "force=true")

    assert reasons(plain, judged) == ["the query parameter 'force' is not in its 'query'"]


def test_query_parameter_that_a_rule_names_is_allowed() -> None:
    rules = policy(
        {
            "call": "DELETE /auth/service-accounts/{serviceAccountId}",
            "query": ["force"],
            "escalates": True,
        }
    )
    path = "/auth/service-accounts/us-1"

    assert reasons(rules, call("DELETE", path)) == []
    assert reasons(rules, call("DELETE", path, query="force=true")) == []


@pytest.mark.parametrize(
    "query",
    [
        "force=1&force=0",
        "%66orce=1",
        "force=1;x=2",
        "force=1&",
        "&force=1",
        "=1",
        "force[]=1",
        "for ce=1",
    ],
)
def test_query_with_more_than_one_meaning_is_refused(query: str) -> None:
    rules = policy(
        {
            "call": "DELETE /auth/service-accounts/{serviceAccountId}",
            "query": ["force"],
            "escalates": True,
        }
    )

    assert len(reasons(rules, call("DELETE", "/auth/service-accounts/us-1", query=query))) == 1


def test_query_of_a_read_is_open_unless_the_rule_names_parameters() -> None:
    judged = call("GET", "/wallets", query="limit=1&owner=x")

    assert reasons(policy({"call": "GET /wallets"}), judged) == []
    assert reasons(policy({"call": "GET /wallets", "query": ["limit"]}), judged) == [
        "the query parameter 'owner' is not in its 'query'"
    ]


def test_operation_that_is_not_known_is_refused_by_rules_of_others() -> None:
    assert policy(PAYOUTS).judge(call("POST", "/wallets/wa-1/novelties")).check == "no-rule"


def test_operation_that_is_not_known_is_allowed_by_a_rule_for_the_worst() -> None:
    rules = policy(
        {"call": "POST /wallets/{walletId}/novelties", "members": ["kind"], **BOTH},
    )

    assert reasons(rules, call("POST", "/wallets/wa-1/novelties", {"kind": "a"})) == []
    assert reasons(rules, call("POST", "/wallets/wa-1/novelties", {"to": "a"})) != []
    assert rules.judge(call("POST", "/wallets/wa-1/novelties/n-1")).check == "no-rule"
    assert rules.judge(call("PUT", "/wallets/wa-1/novelties")).check == "no-rule"


def test_rule_for_an_operation_that_is_not_known_never_names_a_known_one() -> None:
    rules = policy({"call": "POST /wallets/{walletId}/{action}", "members": "any", **BOTH})

    assert rules.judge(call("POST", "/wallets/wa-1/novelties")).rule == "rule"
    assert rules.judge(transfer()).check == "no-rule"


def test_first_rule_in_order_that_allows_a_call_is_named() -> None:
    wide = {"name": "wide", "call": TRANSFERS, "members": ["kind", "to", "amount", "externalId"]}

    assert policy(PAYOUTS, wide).judge(transfer()).rule == "payouts"
    assert policy(wide, PAYOUTS).judge(transfer()).rule == "wide"
    assert policy(PAYOUTS, wide).judge(transfer("wa-2")).rule == "wide"
