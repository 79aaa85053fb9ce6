"""The table of operations holds together."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dfns_signers.operations import (
    Operation,
    Schema,
    declared_enum,
    declared_type,
    find_operation,
    match_operation,
    operations,
    path_hint,
    shapes_of,
)
from dfns_signers.operations.table import is_placeholder, read_table
from tests.core.keys import private_key, private_pem

SEGMENT = st.text("abc-%.~", min_size=1, max_size=6)

CLASSES = {
    "read": ["GET /wallets", "POST /networks/{network}/call-function", "POST /swaps/quotes"],
    "ordinary": ["POST /wallets", "PUT /wallets/{walletId}", "POST /address-watches"],
    "money": [
        "POST /wallets/{walletId}/transfers",
        "POST /staking/stakes",
        "POST /swaps",
        "POST /allocations/cancel-0fns-order-placement",
    ],
    "blind": [
        "POST /keys/{keyId}/signatures",
        "POST /wallets/{walletId}/signatures",
        "POST /wallets/{walletId}/transactions",
    ],
    "escalating": [
        "POST /auth/credentials",
        "POST /auth/pats",
        "POST /auth/service-accounts",
        "POST /keys/import",
        "POST /permissions/{permissionId}/assignments",
        "POST /v2/policies",
        "POST /v2/policy-approvals/{approvalId}/decisions",
        "POST /wallets/{walletId}/export",
        "PUT /wallets/{walletId}/tags",
        "DELETE /wallets/{walletId}/tags",
    ],
}


def named(text: str) -> Operation:
    method, _, template = text.partition(" ")
    found = find_operation(method, template)
    assert found
    return found


def refused_words(schema: Schema) -> Iterator[str]:
    """What no reader of shapes knows, and names that nothing has."""
    known = {"type", "properties", "required", "additionalProperties", "items", "enum", "const"}
    yield from schema.keys() - known - {"anyOf", "$ref", "$enum"}
    if "$ref" in schema:
        declared_type(schema["$ref"])
    if "$enum" in schema:
        declared_enum(schema["$enum"])
    properties = schema.get("properties", {})
    yield from set(schema.get("required", ())) - set(properties)
    more = [schema.get("items"), schema.get("additionalProperties")]
    for inner in [*properties.values(), *schema.get("anyOf", ()), *more]:
        if isinstance(inner, dict):
            yield from refused_words(inner)


def test_rows_are_sorted_by_path_and_method_and_each_is_there_once() -> None:
    rows = [(one.path, one.method) for one in operations()]

    assert rows == sorted(set(rows))
    assert len({find_operation(one.method, one.path) for one in operations()}) == len(rows)


def test_read_is_not_signed_and_write_that_is_signed_is_no_read() -> None:
    for one in operations():
        if one.method == "GET":
            assert (one.signed, one.operation_class) == (False, "read")
        assert not (one.signed and one.operation_class == "read"), one


def test_idempotent_operation_takes_an_external_id() -> None:
    idempotent = [one for one in operations() if one.idempotent]

    assert len(idempotent) >= 5
    for one in idempotent:
        assert "externalId" in json.dumps(_written_out(shapes_of(one).body or {})), one


@pytest.mark.parametrize(
    ("text", "operation_class"), [(text, name) for name, texts in CLASSES.items() for text in texts]
)
def test_operation_has_the_class_of_what_it_can_do(text: str, operation_class: str) -> None:
    assert named(text).operation_class == operation_class


def is_about_power(one: Operation) -> bool:
    """Whether a write is about credentials, tokens, accounts, permissions, policies or exports."""
    groups = ("credentials", "pats", "service-accounts", "users", "user-groups", "tokens")
    sign_ups = ("login", "registration", "recover")
    areas = ("permissions", "v2", "webhooks", "key-stores", "tenant")
    keys = (["import"], ["export"], ["delegate"], ["derive"])
    _, area, *rest = one.path.split("/")
    if area == "auth":
        return rest[0] in (*groups, *sign_ups)
    if area == "exchanges":
        return one.method == "POST" and not rest  # it hands over keys of an exchange
    if area == "networks":
        # They hand over secrets of the validator, and say where it is.
        return rest[-1] == "validators" or (one.method == "PUT" and "validators" in rest)
    if area in ("wallets", "vaults") and rest[-1:] == ["tags"]:
        return True  # the filter of a policy may name them
    return area in areas or (area in ("keys", "wallets") and rest[-1:] in keys)


def test_write_is_escalating_exactly_if_it_is_about_power() -> None:
    writes = [one for one in operations() if one.operation_class != "read"]

    assert [str(one) for one in writes if one.operation_class == "escalating"] == [
        str(one) for one in writes if is_about_power(one)
    ]


def test_operation_is_blind_exactly_if_it_signs_what_the_caller_has_made() -> None:
    assert [str(one) for one in operations() if one.operation_class == "blind"] == [
        "POST /keys/{keyId}/signatures",
        "POST /wallets/{walletId}/activate",  # of Concordium: 'unsignedCdiStr'
        "POST /wallets/{walletId}/canton/ledger-api",
        "POST /wallets/{walletId}/signatures",
        "POST /wallets/{walletId}/transactions",
    ]


def test_shapes_belong_to_operations_and_say_nothing_that_is_not_understood() -> None:
    shapes = read_table("shapes.json")

    assert set(shapes["operations"]) <= {str(one) for one in operations()}
    for part in [*shapes["types"].values(), *_parts(shapes["operations"])]:
        assert list(refused_words(part)) == []


def test_body_is_declared_only_for_a_write() -> None:
    assert all(shapes_of(one).body is None for one in operations() if one.method == "GET")


def test_member_named_like_a_keyword_of_json_schema_is_a_member() -> None:
    """Converters of types take ``description`` for a remark on a shape."""
    body = shapes_of(named("POST /webhooks")).body

    assert body
    assert "description" in body["properties"]


def test_literal_segment_comes_before_a_placeholder() -> None:
    assert match_operation("POST", "/keys/import") == named("POST /keys/import")
    assert match_operation("GET", "/keys/import") == named("GET /keys/{keyId}")


@given(data=st.data())
def test_path_with_any_parameters_belongs_to_its_template(data: st.DataObject) -> None:
    one = data.draw(st.sampled_from(operations()))
    segments = [
        f"~{data.draw(SEGMENT)}" if is_placeholder(segment) else segment
        for segment in one.path.split("/")
    ]
    path = "/".join(segments)

    assert match_operation(one.method, path) == one
    assert list(one.parameters(path).values()) == [text for text in segments if text[:1] == "~"]


@pytest.mark.parametrize("path", ["", "wallets", "/wallets/", "/wallets//transfers", "/nothing"])
def test_other_path_belongs_to_no_operation(path: str) -> None:
    assert match_operation("GET", path) is None


@pytest.mark.parametrize(
    ("method", "path", "hint"),
    [
        ("GET", "/wallet", " (did you mean GET /wallets?)"),
        (
            "POST",
            "/wallets/wa-1/transfer",
            " (did you mean POST /wallets/{walletId}/transfers?)",
        ),
        ("DELETE", "/wallets", " (the path has GET and POST)"),
        ("GET", "/nothing-like-it", ""),
        ("GET", "/wallets/wa-1", ""),
    ],
)
def test_near_miss_of_a_path_is_named(method: str, path: str, hint: str) -> None:
    assert path_hint(method, path) == hint


@pytest.mark.parametrize(
    "line",
    [
        "import dfns_signers",
        (
            "import sys; from dfns_signers import KeySigner, PemKey; "
            "KeySigner(PemKey.from_pem(sys.stdin.read()), credential_id='cr-1')"
            ".sign({'challenge': 'Y2g'})"
        ),
    ],
    ids=["import", "PEM signature"],
)
def test_table_is_not_loaded_by_what_does_not_need_it(line: str) -> None:
    code = f"{line}\nimport sys; print(*sys.modules)"

    done = subprocess.run(
        [sys.executable, "-c", code],
        check=True,
        capture_output=True,
        text=True,
        input=private_pem(private_key("ES256")).decode(),
    )

    loaded = done.stdout.split()
    assert "dfns_signers" in loaded
    assert not {"dfns_signers.operations", "importlib.resources"} & {*loaded}


def _parts(rows: dict[str, dict[str, Any]]) -> Iterator[Schema]:
    for row in rows.values():
        yield from row.values()


def _written_out(schema: Schema) -> Schema:
    """The members of a body one reference deep, which is where externalId is."""
    if "$ref" in schema:
        return _written_out(declared_type(schema["$ref"]))
    return {**schema, "anyOf": [_written_out(one) for one in schema.get("anyOf", ())]}
