"""Bodies and query parameters are checked by the declared shapes of their operation.

The library ``jsonschema`` is the judge of what a shape allows.
"""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dfns_signers.emulator.requests.fields import Check
from dfns_signers.emulator.requests.messages import Refusal
from dfns_signers.emulator.requests.routes import Route
from dfns_signers.emulator.requests.shape_checks import body_check, check_of, query_check
from dfns_signers.operations import Operation, Schema, find_operation, operations, shapes_of
from tests.support.answer_judge import validator
from tests.support.shape_values import draw_mistake, draw_value

STRING = {"type": "string"}
CLOSED = {"additionalProperties": False}
WITH_BODY = [one for one in operations() if shapes_of(one).body is not None]


def shape(operation: Operation, part: str) -> Schema:
    found: Schema = getattr(shapes_of(operation), part)
    return found


def named(method: str, template: str) -> Operation:
    found = find_operation(method, template)
    assert found
    return found


def refusal(operation: Operation, body: Any) -> Refusal | None:
    return _refusal_of(body_check(operation), "", body)


def query_refusal(operation: Operation, query: dict[str, str]) -> Refusal | None:
    return _refusal_of(query_check(operation), "query", query)


def _refusal_of(check: Check, where: str, value: Any) -> Refusal | None:
    try:
        check(where, value)
    except Refusal as refused:
        return refused
    return None


@pytest.mark.parametrize("operation", WITH_BODY, ids=str)
@settings(max_examples=8)
@given(data=st.data())
def test_body_of_the_declared_shape_is_accepted(operation: Operation, data: st.DataObject) -> None:
    body = draw_value(data, shape(operation, "body"))

    assert validator(shape(operation, "body")).is_valid(body)
    assert refusal(operation, body) is None


@pytest.mark.parametrize("operation", WITH_BODY, ids=str)
@settings(max_examples=16)
@given(data=st.data())
def test_one_mistake_in_a_body_is_refused_by_name(
    operation: Operation, data: st.DataObject
) -> None:
    mistake = draw_mistake(data, shape(operation, "body"))

    found = refusal(operation, mistake.value)

    assert (found is None) == validator(shape(operation, "body")).is_valid(mistake.value)
    if found and mistake.is_certain:
        assert (found.check, found.details["field"]) == (mistake.check, mistake.field)


@pytest.mark.parametrize(
    ("method", "template", "body", "message"),
    [
        (
            "POST",
            "/wallets",
            {"network": "EtherumSepolia"},
            (
                'network must be a network of the Dfns API, and is "EtherumSepolia" '
                "(did you mean 'EthereumSepolia'?)."
            ),
        ),
        (
            "POST",
            "/wallets",
            {"netwrok": "Solana"},
            (
                "netwrok is not a member of this request (did you mean 'network'?). Members it may "
                "have: delayDelegation, delegateTo, externalId, name, network, signingKey, tags."
            ),
        ),
        (
            "POST",
            "/wallets/{walletId}/transfers",
            {"kind": "ERC20", "contract": "0x", "to": "0x", "amount": "1"},
            "kind must be a kind of the Dfns API, and is \"ERC20\" (did you mean 'Erc20'?).",
        ),
        (
            "POST",
            "/permissions",
            {"name": "n", "operations": ["Wallets:Read", "Wallets:Creat"]},
            (
                "operations[1] must be one of the operations of the Dfns API, and is "
                "\"Wallets:Creat\" (did you mean 'Wallets:Create'?)."
            ),
        ),
        (
            "POST",
            "/v2/policies",
            {"name": "n", "activityKind": "Wallets:Sing", "rule": {}, "action": {}},
            "activityKind must be",
        ),
    ],
    ids=["network", "member", "kind", "permission-operation", "activity"],
)
def test_near_miss_is_named(method: str, template: str, body: Any, message: str) -> None:
    found = refusal(named(method, template), body)

    assert found
    assert message in str(found)
    assert "did you mean" in str(found)


@pytest.mark.parametrize(
    ("method", "template", "query"),
    [
        ("GET", "/wallets", {"limit": "10", "paginationToken": ""}),
        ("DELETE", "/auth/service-accounts/{id}", {"force": "true"}),
        ("DELETE", "/auth/service-accounts/{id}", {"force": "True"}),
        ("GET", "/networks/fees", {"network": "Ethereum"}),
        ("GET", "/payouts", {"status": "Processing"}),
        ("GET", "/payouts", {"status": "Processing,Completed"}),
    ],
)
def test_query_of_the_declared_shape_is_accepted(
    method: str, template: str, query: dict[str, str]
) -> None:
    assert query_refusal(named(method, template), query) is None


@pytest.mark.parametrize(
    ("method", "template", "query", "check", "field"),
    [
        ("GET", "/wallets", {"limit": "ten"}, "field.value", "query.limit"),
        ("GET", "/wallets", {"limits": "10"}, "field.unknown", "query.limits"),
        ("GET", "/networks/fees", {}, "field.missing", "query.network"),
        ("GET", "/networks/fees", {"network": "Etherum"}, "field.value", "query.network"),
        ("GET", "/payouts", {"status": "Processing,Done"}, "field.value", "query.status"),
        (
            "DELETE",
            "/auth/service-accounts/{id}",
            {"force": "yes"},
            "field.value",
            "query.force",
        ),
    ],
)
def test_mistake_in_a_query_is_refused_by_name(
    method: str, template: str, query: dict[str, str], check: str, field: str
) -> None:
    found = query_refusal(named(method, template), query)

    assert found
    assert (found.check, found.details["field"]) == (check, field)


def test_list_in_a_query_may_be_repeated_as_the_sdk_for_typescript_does() -> None:
    payouts = Route("GET", "/payouts", lambda _call: {})

    query = payouts.parsed_query("status=Processing&walletId=wa-1&status=Completed")

    assert query == {"status": "Processing,Completed", "walletId": "wa-1"}


def test_each_value_of_a_repeated_list_is_checked() -> None:
    payouts = Route("GET", "/payouts", lambda _call: {})

    with pytest.raises(Refusal, match=r"query\.status must be"):
        payouts.parsed_query("status=Processing&status=Done")


def test_other_parameter_may_not_be_repeated() -> None:
    payouts = Route("GET", "/payouts", lambda _call: {})

    with pytest.raises(Refusal, match="more than once"):
        payouts.parsed_query("limit=1&limit=2")


def test_what_no_type_declares_may_be_any_object() -> None:
    undeclared = named("POST", "/address-watches")

    assert refusal(undeclared, {"any": ["member"]}) is None
    assert query_refusal(undeclared, {"any": "value"}) is None
    assert refusal(undeclared, []) is not None


def test_mistake_in_one_of_several_shapes_without_a_tag_is_named_by_the_likest() -> None:
    options = {"anyOf": [
        {"type": "object", "properties": {"a": STRING}, "required": ["a"], **CLOSED},
        {"type": "object", "properties": {"b": STRING, "c": STRING}, "required": ["b"], **CLOSED},
    ]}  # fmt: skip

    found = _refusal_of(check_of(options), "", {"b": "x", "c": 1})

    assert found
    assert found.details["field"] == "c"


def test_type_that_contains_itself_is_checked_at_every_depth() -> None:
    parameter = {"name": "n", "type": "t"}
    inner = {"contract": "0x", "abi": _abi([{**parameter, "name": 1}])}
    body = {"contract": "0x", "abi": _abi([{**parameter, "components": inner}])}

    found = refusal(named("POST", "/networks/{network}/call-function"), body)

    assert found
    assert found.details["field"] == "abi.inputs[0].components.abi.inputs[0].name"


def _abi(inputs: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "type": "function",
        "name": "f",
        "stateMutability": "view",
        "inputs": inputs,
        "outputs": [],
    }
