"""Bodies are shown without what is secret, wherever it stands in them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dfns_signers.emulator.exchanges.redaction import without_secrets

SECRET = "s3cr3t-of-somebody"
NAMES = (
    "accessToken", "authToken", "token", "userAction", "secret", "temporaryAuthenticationToken",
    "password", "otpCode", "verificationCode", "registrationCode", "encryptedPrivateKey",
    "challengeIdentifier",
)  # fmt: skip
PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["id", "name", "tags", "body"]), inner, max_size=3)
    ),
    max_leaves=8,
)


def compact(value: Any) -> bytes:
    return json.dumps(value).encode()


@given(PLAIN, st.sampled_from(NAMES), st.lists(st.sampled_from(["list", "object"]), max_size=4))
def test_secret_member_is_removed_at_any_depth_and_the_rest_is_kept(
    plain: Any, name: str, places: list[str]
) -> None:
    value: Any = {"rest": plain, name: SECRET}
    expected: Any = {"rest": plain, name: "(removed)"}
    for place in places:
        value, expected = (
            ([value], [expected]) if place == "list" else ({"in": value}, {"in": expected})
        )

    assert without_secrets(compact(value)) == expected


@given(PLAIN)
def test_body_without_secrets_is_shown_as_it_is(plain: Any) -> None:
    assert without_secrets(compact(plain)) == plain


def test_jwt_is_removed_from_any_text() -> None:
    body = {"note": "see eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiIxIn0.c2ln for more"}

    assert without_secrets(compact(body)) == {"note": "see (removed) for more"}


@pytest.mark.parametrize("end", ["\n-----END PRIVATE KEY-----\n", ""])
def test_private_key_is_removed_from_any_text(end: str) -> None:
    body = {"publicKey": f"key: -----BEGIN PRIVATE KEY-----\n{SECRET}{end}"}

    assert without_secrets(compact(body)) == {
        "publicKey": f"key: (removed){end[-1:]}",
    }


def test_announced_payload_is_looked_into() -> None:
    payload = json.dumps({"name": "n", "password": SECRET})

    shown = without_secrets(compact({"userActionPayload": payload}))

    assert json.loads(shown["userActionPayload"]) == {"name": "n", "password": "(removed)"}


@pytest.mark.parametrize(("payload", "shown"), [("", ""), (f"{{{SECRET}", "(removed)")])
def test_announced_payload_that_is_not_json_is_not_shown(payload: str, shown: str) -> None:
    assert without_secrets(compact({"userActionPayload": payload})) == {"userActionPayload": shown}


def test_tokens_of_pages_are_no_secrets() -> None:
    body = {"nextPageToken": "abc", "paginationToken": "def"}

    assert without_secrets(compact(body)) == body


@pytest.mark.parametrize(
    ("content", "shown"),
    [
        (b"", None),
        (b"<html>", "(6 bytes that are not JSON)"),
        (b"\xff", "(1 bytes that are not JSON)"),
    ],
)
def test_body_that_is_not_json_is_not_shown(content: bytes, shown: str | None) -> None:
    assert without_secrets(content) == shown
