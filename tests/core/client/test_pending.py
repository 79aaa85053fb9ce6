"""A pending action is read back only if it is one."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dfns_signers.client.http_calls import build_request
from dfns_signers.client.pending import PendingAction
from dfns_signers.errors import RequestError
from dfns_signers.user_action.httpx_auth import UserActionAuth
from tests.core.client.values import hostile_leaves, json_trees

GOOD: dict[str, Any] = {
    "method": "POST",
    "path": "/wallets",
    "payload": "{}",
    "params": {},
    "challenge": {"challenge": "c", "challengeIdentifier": "i"},
}


@given(
    members=st.dictionaries(
        st.sampled_from([*GOOD, "more"]),
        json_trees(hostile_leaves, st.text(max_size=5)),
        max_size=3,
    ),
    missing=st.sets(st.sampled_from(list(GOOD)), max_size=1),
)
@example(members={"payload": "\ud800"}, missing=set())
@example(members={"params": {"a": {"b": 1}}}, missing=set())
@example(members={"params": {"a": "\ud800"}}, missing=set())
@example(members={"method": "PO ST"}, missing=set())
def test_any_json_is_an_action_that_can_be_sent_or_is_refused(
    members: dict[str, Any], missing: set[str]
) -> None:
    value = {name: member for name, member in {**GOOD, **members}.items() if name not in missing}
    auth = UserActionAuth("token")

    with httpx.Client() as http:
        try:
            pending = PendingAction.from_json(json.dumps(value))
            request = build_request(http, auth, pending.to_call())
        except RequestError:
            assert members or missing
            return

    assert request.method == value["method"]
    assert request.url.raw_path.decode().partition("?")[0] == value["path"]
    assert request.content == value["payload"].encode()


@pytest.mark.parametrize(
    "text", ["", "{", "null", "[]", "7", '"text"', b"\xff", None, 7, "[" * 100_000, "{}"]
)
def test_text_that_is_no_action_is_refused(text: Any) -> None:
    with pytest.raises(RequestError, match="to_json"):
        PendingAction.from_json(text)


@pytest.mark.parametrize(
    "change",
    [
        {"method": 7},
        {"method": "post"},
        {"method": "PATCH"},
        {"method": "POST\r\nX: y"},
        {"path": "/wallets/../keys"},
        {"path": "/wallets/%2e%2e/keys"},
        {"path": "//evil.test"},
        {"path": "/wallets?x=1"},
        {"path": ""},
        {"payload": None},
        {"payload": {}},
        {"payload": "\udc00"},
        {"params": None},
        {"params": []},
        {"params": {"a": {"b": 1}}},
        {"params": {"a": [[1]]}},
        {"challenge": None},
        {"challenge": {}},
        {"challenge": {"challengeIdentifier": 7}},
        {"challenge": "text"},
    ],
)
def test_action_with_a_wrong_member_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(RequestError):
        PendingAction.from_json(json.dumps({**GOOD, **change}))


def test_action_with_right_members_is_read() -> None:
    assert PendingAction.from_json(json.dumps(GOOD)) == PendingAction(**GOOD)
