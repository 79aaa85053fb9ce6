"""Client data, of assertions and of registrations alike. Its signature is right in every test."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.emulator.caller import Caller, answered, b64url, compact, refused
from tests.emulator.flows import ACTION, FLOWS, Flow, put

each_flow = pytest.mark.parametrize("flow", FLOWS, ids=lambda flow: flow.name)


@each_flow
@pytest.mark.parametrize(
    "template",
    [
        '{"type":"T","challenge":"C"}',
        '{"challenge":"C","type":"T"}',
        '{"type":"T","challenge":"C","origin":"https://app.dfns.io","crossOrigin":false}',
        '{"challenge":"C","crossOrigin":false,"type":"T"}',
        '{ "\\u0074ype": "T",\n "challenge": "C" }',
    ],
    ids=["typescript", "docs", "python", "go", "spaced"],
)
def test_client_data_of_every_official_sdk_is_accepted(
    caller: Caller, flow: Flow, template: str
) -> None:
    def write(right: dict[str, Any]) -> bytes:
        return template.replace("T", right["type"]).replace("C", right["challenge"], 1).encode()

    answered(flow.attempt_with(caller, write))


@each_flow
@pytest.mark.parametrize(
    ("found", "shown"),
    [("webauthn.get", '"webauthn.get"'), ("KEY.GET", '"KEY.GET"'), (None, "null"), (1, "a number")],
)
def test_client_data_of_another_type_is_refused_with_both(
    caller: Caller, flow: Flow, found: Any, shown: str
) -> None:
    response = flow.attempt_with(caller, lambda right: compact({**right, "type": found}))

    error = refused(response, 400, "clientData.type", f'must be "{flow.type}", and is {shown}.')
    assert (error["details"]["expected"], error["details"]["found"]) == (flow.type, shown)


@each_flow
@pytest.mark.parametrize(
    "write", [lambda text: b64url(text.encode()), lambda text: text[:-1], lambda _: None]
)
def test_client_data_with_another_challenge_is_refused(
    caller: Caller, flow: Flow, write: Callable[[str], Any]
) -> None:
    response = flow.attempt_with(
        caller, lambda right: compact({**right, "challenge": write(right["challenge"])})
    )

    refused(response, 400, "clientData.challenge")


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (b"", "not UTF-8 JSON"),
        (b',"origin":"\xff"}', "not UTF-8: invalid"),
        (b',"challenge":""}', '"challenge" occurs twice'),
        (b',"origin":NaN}', "JSON"),
        (b',"origin":"\\ud800"}', "JSON"),
    ],
    ids=["cut", "latin-1", "duplicate", "nan", "surrogate"],
)
def test_client_data_that_is_not_json_is_refused(caller: Caller, more: bytes, words: str) -> None:
    response = ACTION.attempt_with(caller, lambda right: compact(right)[:-1] + more)

    refused(response, 400, "clientData.json", words)


@pytest.mark.parametrize(
    ("client_data", "found"),
    [(b"[]", "an array"), (b'"key.get"', "a string"), (b"null", "null"), (b"1", "a number")],
)
def test_client_data_that_is_not_an_object_is_refused(
    caller: Caller, client_data: bytes, found: str
) -> None:
    response = ACTION.attempt_with(caller, lambda _: client_data)

    refused(response, 400, "clientData.object", f"and is {found}")


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda text: text + "=" * (-len(text) % 4 or 4), "has padding"),
        (lambda text: text[:-1] + "+", "outside A-Z"),
        (lambda text: text[:4] + "\n" + text[4:], "outside A-Z"),
        (lambda text: text[: len(text) // 4 * 4] + "A", "no bytes encode"),
        (lambda text: text[: len(text) // 4 * 4 - 4] + "AB", "not canonical"),
        (lambda text: text[: len(text) // 4 * 4 - 4] + "AAB", "not canonical"),
    ],
    ids=["padding", "plus", "newline", "length", "two-bits", "four-bits"],
)
def test_member_that_is_not_base64url_is_refused_with_the_reason(
    caller: Caller, spoil: Callable[[str], str], words: str
) -> None:
    refused(
        ACTION.attempt(caller, put(f"{ACTION.info}.clientData", spoil)), 400, "base64url", words
    )


@pytest.mark.parametrize(
    ("flow", "member"),
    [(flow, "clientData") for flow in FLOWS]
    + [(FLOWS[0], "signature"), (FLOWS[1], "attestationData")],
    ids=["action", "registration", "signature", "attestation"],
)
def test_member_that_is_not_base64url_is_named(caller: Caller, flow: Flow, member: str) -> None:
    path = f"{flow.info}.{member}"

    error = refused(flow.attempt(caller, put(path, lambda text: f"{text}=")), 400, "base64url")

    assert error["details"]["field"] == path
