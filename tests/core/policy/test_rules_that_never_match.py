"""A rule that can never match, or says something without effect, is an error when it is loaded."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from dfns_signers.config.loading import LoadedProfile, load_profile
from dfns_signers.config.profile_guards import configured_hooks, configured_policy
from dfns_signers.errors import ConfigurationError
from dfns_signers.gateway.loading import load_gateway
from dfns_signers.operations import operations, shapes_of
from dfns_signers.operations.table import Operation
from tests.core.config.support import write_config
from tests.core.policy.support import DIGEST, PAYOUTS, TRANSFERS, policy, refused_at_load

BODY = PAYOUTS["body"]
TRANSACTIONS = "POST /wallets/{walletId}/transactions"
SIGNATURES = "POST /keys/{keyId}/signatures"


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"call": "/wallets"}, "'call' is a method and a path"),
        ({"call": "POST"}, "'call' is a method and a path"),
        ({"call": "post /wallets"}, "the methods are GET, POST, PUT, DELETE"),
        ({"call": "PATCH /wallets/{walletId}"}, "the methods are GET, POST, PUT, DELETE"),
        ({"call": "POST  /wallets"}, "'call' is a method and a path"),
        ({"call": "POST /walets"}, "did you mean POST /wallets?"),
        ({"call": "PUT /wallets"}, "the path has GET and POST"),
        ({"call": "POST /wallets/"}, "'call': the path"),
        ({"call": "POST /wallets?x=1"}, "'call': the path"),
        ({"call": "PUT /wallets/%77a-1"}, "'call': the path"),
        ({"call": "POST /wallets/*/transfers"}, "'call' has a wildcard"),
        ({"call": "POST /**"}, "'call' has a wildcard"),
        ({"call": "POST /{a}/{b}", "escalates": True, "blind": True}, "begins with a placeholder"),
        ({"call": "POST /new/{a}/{a}", "escalates": True, "blind": True}, "a placeholder twice"),
        ({"call": "PUT /wallets/{id}"}, "has {id}, where PUT /wallets/{walletId} has {walletId}"),
        ({"call": "POST /auth/action"}, "/auth/action is how calls are signed"),
        ({"call": "POST /auth/action/init"}, "/auth/action/init is how calls are signed"),
        (
            {"call": "POST /key-stores/{storeId}/clone/output", "escalates": True},
            "takes a file, and only JSON can be announced",
        ),
    ],
)
def test_call_of_no_operation_is_refused(keys: Mapping[str, Any], said: str) -> None:
    assert said in refused_at_load(keys)


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"path": {"walletid": ["a"]}}, "(did you mean 'walletId'?): it has walletId"),
        ({"path": {"walletId": []}}, "path.walletId is an empty array"),
        ({"path": {"walletId": ["a/b"]}}, "path.walletId has a value that no path has"),
        ({"path": {"walletId": [""]}}, "path.walletId has a value that no path has"),
        ({"path": {"walletId": [".."]}}, "path.walletId has a value that no path has"),
        (
            {"call": "PUT /wallets/wa-1", "path": {"walletId": ["wa-1"]}},
            "'call' and 'path' both have a value for 'walletId'",
        ),
        (
            {"call": "GET /wallets/{walletId}", "path": {"walletId": ["bulk-create"]}},
            "makes it a call of another operation",
        ),
        ({"call": "POST /wallets", "path": {"walletId": ["a"]}}, "it has none"),
    ],
)
def test_path_parameter_that_no_call_has_is_refused(keys: Mapping[str, Any], said: str) -> None:
    assert said in refused_at_load({"call": "PUT /wallets/{walletId}", **keys})


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"netwrk": ["Base"]}, "has no member 'netwrk' (did you mean 'network'?)"),
        ({"network": ["EthereumSepola"]}, "did you mean 'EthereumSepolia'?"),
        ({"network": ["ethereum"]}, "body.network never has the value 'ethereum'"),
        ({"network": []}, "body.network is an empty array"),
        ({"network": {}}, "body.network is empty"),
        ({"network": [1.5]}, "takes strings, integers and booleans"),
        ({"network": [["Base"]]}, "takes strings, integers and booleans"),
        ({"network": {"max": "1"}}, "body.network is not an amount"),
        ({"network": [True]}, "body.network never has the value True"),
        ({"name": [1]}, "body.name never has the value 1: expected string"),
        ({"name": [2**53]}, "an integer beyond 2^53"),
        ({"tags": ["a"]}, "body.tags never has the value 'a': expected array"),
        ({"signingKey": {"idd": "k"}}, "(did you mean 'signingKey.id'?)"),
        ({"signingKey.id": "k"}, "nest it, as in body.a.b"),
        ({"name": {"mx": "1"}}, "'name' has no members in the body of POST /wallets"),
    ],
)
def test_value_or_member_that_no_body_has_is_refused(body: Mapping[str, Any], said: str) -> None:
    assert said in refused_at_load({"call": "POST /wallets", "body": body, "members": "any"})


@pytest.mark.parametrize(
    "amount",
    [
        {"max": "1e3"},
        {"max": "01"},
        {"max": -1},
        {"max": 1.5},
        {"max": True},
        {"max": " 1"},
        {"max": ""},
        {"max": "9" * 79},
        {"min": 2, "max": 1},
        {"min": "2", "max": "1"},
    ],
)
def test_range_that_no_amount_is_in_is_refused(amount: Mapping[str, Any]) -> None:
    said = refused_at_load({**PAYOUTS, "body": {**BODY, "amount": amount}})

    assert "body.amount" in said


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({}, "the body needs 'amount', 'kind', 'to'"),
        ({"body": {"kind": "Native"}}, "the body needs 'amount', 'to'"),
        (
            {"body": {**BODY, "kind": ["Native", "Erc20"]}},
            "with kind = 'Erc20', the body needs 'contract'",
        ),
        ({"members": ["kind", "to"]}, "the body needs 'amount'"),
        ({"members": []}, "the body needs 'amount', 'kind', 'to'"),
        ({"members": "any"}, "'members' cannot be 'any' for a call that moves money"),
        ({"members": ["kind", "to", "amout"]}, "(did you mean 'amount'?)"),
        ({"body": BODY, "members": ["kind", "to"]}, "'members' does not have 'amount'"),
        (
            {"members": ["kind", "to", "amount"], "require": ["externalId"]},
            "'members' does not have 'externalId'",
        ),
        ({"body": BODY, "require": ["externalid"]}, "(did you mean 'externalId'?)"),
        (
            {"body": {**BODY, "contract": "0x1"}},
            "no body has these values together, of which 'contract' is one",
        ),
        (
            {"body": BODY, "require": ["contract"]},
            "no body has these values and the required 'contract'",
        ),
        ({"body": BODY, "members": [""]}, "is not the name of a member"),
        ({"body": BODY, "query": ["x"]}, "has no query parameter 'x'"),
    ],
)
def test_conditions_that_contradict_each_other_or_the_shape_are_refused(
    keys: Mapping[str, Any], said: str
) -> None:
    assert said in refused_at_load({"call": TRANSFERS, **keys})


def test_body_of_a_call_without_one_is_refused() -> None:
    cancel = "POST /wallets/{walletId}/transfers/{transferId}/cancel"

    for keys in ({"body": {"to": "x"}}, {"members": ["to"]}, {"require": ["to"]}):
        assert "takes no body" in refused_at_load({"call": cancel, **keys})


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"call": "POST /auth/pats"}, "a rule allows it only with escalates = true"),
        ({"call": "POST /auth/pats", "blind": True}, "only with escalates = true"),
        ({"call": SIGNATURES}, "a rule allows it only with blind = true"),
        ({"call": SIGNATURES, "escalates": True}, "'escalates' has no effect"),
        ({"call": "POST /wallets", "escalates": True}, "'escalates' has no effect"),
        ({"call": "POST /wallets", "blind": True}, "'blind' has no effect"),
        ({"call": "POST /auth/novelties", "escalates": True}, "escalates = true and blind = true"),
    ],
)
def test_flag_must_be_that_of_the_class(keys: Mapping[str, Any], said: str) -> None:
    assert said in refused_at_load(keys)


@pytest.mark.parametrize(
    "one", [o for o in operations() if o.operation_class == "escalating"], ids=str
)
def test_escalating_call_needs_a_rule_that_says_so(one: Operation) -> None:
    assert refused_at_load({"call": str(one), "members": "any"})
    if not one.multipart:
        policy({"call": str(one), "members": "any", "escalates": True})


@pytest.mark.parametrize("one", [o for o in operations() if o.operation_class == "blind"], ids=str)
def test_blind_call_needs_a_rule_that_says_so(one: Operation) -> None:
    assert "only with blind = true" in refused_at_load({"call": str(one), "members": "any"})
    policy({"call": str(one), "members": "any", "blind": True})


@pytest.mark.parametrize("one", [o for o in operations() if o.operation_class == "money"], ids=str)
def test_call_that_moves_money_takes_no_rule_that_leaves_its_body_open(one: Operation) -> None:
    assert "cannot be 'any'" in refused_at_load({"call": str(one), "members": "any"})
    needs_a_body = shapes_of(one).body is not None
    if not needs_a_body:
        policy({"call": str(one)})


@pytest.mark.parametrize("call", ["GET /wallets", "POST /swaps/quotes", "GET /novelties/{id}"])
def test_call_that_a_signer_never_sees_has_no_place_in_its_rules(call: str) -> None:
    unknown = {"escalates": True, "blind": True} if "novelties" in call else {}
    keys = {"call": call, "members": "any", **unknown}

    assert "a signer never sees it" in refused_at_load(keys, signed_only=True)
    policy(keys)


def test_two_rules_of_one_name_are_refused() -> None:
    assert "two rules have the name 'payouts'" in refused_at_load(PAYOUTS, {**PAYOUTS, "path": {}})


@pytest.mark.parametrize("rate", [{}, {"rate": "1/minute"}])
def test_rule_that_repeats_an_earlier_one_is_refused(rate: Mapping[str, str]) -> None:
    """Of two that are alike but for the rate, the rate of neither would hold."""
    said = refused_at_load(PAYOUTS, {**PAYOUTS, **rate, "name": "again"})

    assert "rule 'again' allows nothing that rule 'payouts' does not" in said


WRONG = """
[[{table}.allow]]
name = "payouts"
call = "POST /wallets/{{walletId}}/transfrs"
"""


@pytest.mark.parametrize("load", [configured_policy, configured_hooks])
def test_error_names_file_profile_and_rule(
    tmp_path: Path, load: Callable[[LoadedProfile], object]
) -> None:
    file = write_config(tmp_path, "[profiles.p]\n" + WRONG.format(table="profiles.p"))

    with pytest.raises(ConfigurationError) as caught:
        load(load_profile("p", config=file))

    assert str(caught.value).startswith(
        f"configuration file {file}, profile 'p', key 'allow': rule 'payouts': POST "
    )
    assert "did you mean POST /wallets/{walletId}/transfers?" in str(caught.value)


def test_error_names_file_and_caller_of_the_gateway(tmp_path: Path) -> None:
    caller = "gateway.callers.payments"
    gateway = '[gateway]\nlisten = ["127.0.0.1:0"]\n[gateway.callers.payments]\n'
    gateway += f'token_sha256 = ["{DIGEST}"]\n'
    file = write_config(tmp_path, "[profiles.p]\n" + gateway + WRONG.format(table=caller))

    with pytest.raises(ConfigurationError) as caught:
        load_gateway("p", config=file)

    assert str(caught.value).startswith(
        f"configuration file {file}, [gateway.callers.payments]: rule 'payouts': POST "
    )


@pytest.mark.parametrize("members", ["all", 1, ["a", 1], {"a": 1}])
def test_members_of_another_form_are_refused(tmp_path: Path, members: Any) -> None:
    shown = "{ a = 1 }" if isinstance(members, dict) else str(members).replace("'", '"')
    shown = f'"{members}"' if isinstance(members, str) else shown
    file = write_config(
        tmp_path,
        "[profiles.p]\n[[profiles.p.allow]]\n"
        f'name = "r"\ncall = "POST /wallets"\nmembers = {shown}\n',
    )

    with pytest.raises(ConfigurationError, match="expected an array of strings, or 'any'"):
        load_profile("p", config=file)
