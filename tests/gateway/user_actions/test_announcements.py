"""What may be announced: bodies as documented, paths of requests, payloads as JSON."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dfns_signers.policy.policy import Policy
from tests.emulator.caller import compact
from tests.gateway.user_actions.exchanges import PAYMENTS, Exchange, incoming, new_exchange, refused

ANNOUNCEMENT = (
    b'{"userActionPayload":"","userActionHttpMethod":"POST","userActionHttpPath":"/wallets"}'
)


@pytest.fixture
def sdk() -> Exchange:
    return new_exchange()


def test_announcement_is_taken_as_it_stands_here(sdk: Exchange) -> None:
    assert sdk.announce_body(ANNOUNCEMENT)["challenge"]


@pytest.mark.parametrize(
    ("announced", "sent"),
    [
        ("", b"{}"),
        ("{}", b""),
        ("", b""),
        ('{"name":"\\u00e9","network":"Bitcoin"}', '{"network": "Bitcoin", "name": "é"}'.encode()),
        ('{"a":[1,2.50,null,true,{}]}', b'{ "a" : [1, 2.50, null, true, {}] }'),
    ],
)
def test_payload_is_compared_as_json(sdk: Exchange, announced: str, sent: bytes) -> None:
    action = sdk.user_action("POST", "/wallets", announced)

    sdk.redeem(incoming("POST", "/wallets", sent, user_action=action))


@pytest.mark.parametrize(
    ("announced", "sent"),
    [
        ('{"a":1}', b'{"a":true}'),
        ('{"a":1}', b'{"a":"1"}'),
        ('{"a":1}', b'{"a":1.0}'),
        ('{"a":0.10000000000000001}', b'{"a":0.1}'),
        ('{"a":null}', b"{}"),
        ("{}", b"[]"),
        ('{"a":[1,2]}', b'{"a":[2,1]}'),
        ('{"a":{"b":1}}', b'{"a":{"b":1},"b":1}'),
    ],
)
def test_payload_that_is_other_json_is_another_call(
    sdk: Exchange, announced: str, sent: bytes
) -> None:
    action = sdk.user_action("POST", "/wallets", announced)

    with refused(403, "user-action-call"):
        sdk.redeem(incoming("POST", "/wallets", sent, user_action=action))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner, max_size=3),
    max_leaves=8,
)  # fmt: skip
BODIES = st.dictionaries(st.sampled_from("abcd"), JSON, max_size=4)


@given(BODIES)
def test_any_body_is_admitted_in_any_spelling(body: dict[str, Any]) -> None:
    sdk = new_exchange()
    sent = json.dumps(dict(reversed(body.items())), indent=1, ensure_ascii=False).encode()

    action = sdk.user_action("POST", "/wallets", json.dumps(body))

    sdk.redeem(incoming("POST", "/wallets", sent, user_action=action))


@given(BODIES, BODIES)
def test_any_other_body_is_refused(announced: dict[str, Any], sent: dict[str, Any]) -> None:
    sdk = new_exchange()
    texts = [json.dumps(body, sort_keys=True) for body in (announced, sent)]
    action = sdk.user_action("POST", "/wallets", texts[0])
    request = incoming("POST", "/wallets", texts[1].encode(), user_action=action)

    if texts[0] == texts[1]:
        sdk.redeem(request)
    else:
        with refused(403, "user-action-call"):
            sdk.redeem(request)


@pytest.mark.parametrize(
    "path",
    ["wallets", "", "/", "//wallets", "/wallets/", "/wallets/../keys", "/./wallets", "/wal%6cets",
     "/wallets;a", "/wallets#a", "http://api.dfns.io/wallets", "/wallets\\", "/walléts",
     "/wallets?a#b", "/wallets? a"],
)  # fmt: skip
def test_path_that_no_request_may_have_is_refused(sdk: Exchange, path: str) -> None:
    with refused(400, "target"):
        sdk.announce("POST", path)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{}",
        ANNOUNCEMENT.replace(b"POST", b"POST\x00"),
        ANNOUNCEMENT.replace(b'""', b"{}"),
        ANNOUNCEMENT.replace(b'"userActionPayload":"",', b""),
        ANNOUNCEMENT.replace(b"POST", b"post"),
        ANNOUNCEMENT.replace(b"POST", b"PATCH"),
        ANNOUNCEMENT.replace(b"{", b'{"userActionHttpPath":"/wallets",'),
        ANNOUNCEMENT.replace(b"{", b'{"userActionServerKind":"Staff",'),
        ANNOUNCEMENT.replace(b"{", b'{"more":1,'),
    ],
)
def test_announcement_that_is_not_as_documented_is_refused(sdk: Exchange, body: bytes) -> None:
    with refused(400, "user-action-body"):
        sdk.announce_body(body)


@pytest.mark.parametrize("payload", ["{", '{"a":1,"a":1}', '{"a":NaN}', '{"a":1e400}', "\ufeff{}"])
def test_payload_that_is_not_strict_json_is_refused(sdk: Exchange, payload: str) -> None:
    with refused(400, "payload"):
        sdk.announce("POST", "/wallets", payload)


def test_refusal_of_a_body_names_its_members_and_no_value(sdk: Exchange) -> None:
    body = {"userActionPayload": ["canary"], "userActionHttpMethod": "canary"}

    with refused(400, "user-action-body") as refusals:
        sdk.announce_body(compact(body))

    (message,) = map(str, refusals)
    assert "userActionPayload" in message
    assert "canary" not in message


def test_sdk_hears_at_once_of_what_the_profile_does_not_allow() -> None:
    of_profile = Policy([], title="the profile 'production'", read_only=True, signed_only=True)
    sdk = new_exchange(replace(PAYMENTS, of_profile=of_profile))

    with refused(403, "read-only"):
        sdk.announce("POST", "/wallets")
