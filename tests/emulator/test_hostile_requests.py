"""Requests that are made to hurt: nothing is slow to refuse, and nothing breaks what shows them."""

from __future__ import annotations

import json

import httpx
import pytest

from dfns_signers.emulator import Emulator
from dfns_signers.emulator.requests.wire import parse_json
from tests.emulator.caller import Caller, answered, refused

DEEPEST = 100


def nested(depth: int) -> bytes:
    """JSON of so many arrays and objects inside of one another."""
    return b'{"a":[' * (depth // 2) + b"[" * (depth % 2) + b"]" * (depth % 2) + b"]}" * (depth // 2)


@pytest.mark.timeout(20)
def test_member_that_occurs_twice_among_very_many_is_found_at_once() -> None:
    members = b",".join(b'"m%d":0' % number for number in range(90_000))

    with pytest.raises(ValueError, match='"m89999" occurs twice'):
        parse_json(b"{" + members + b',"m89999":0}')


@pytest.mark.parametrize("depth", [1, 2, DEEPEST - 1, DEEPEST])
def test_json_is_nested_as_deeply_as_the_limit(depth: int) -> None:
    assert parse_json(nested(depth)) == json.loads(nested(depth))


@pytest.mark.parametrize("depth", [DEEPEST + 1, DEEPEST + 2, 400, 100_000])
def test_json_nested_more_deeply_is_refused(depth: int) -> None:
    with pytest.raises(ValueError, match=f"nested too deeply: more than {DEEPEST}"):
        parse_json(nested(depth))


@pytest.mark.parametrize("depth", [DEEPEST - 1, DEEPEST, 300, 900])
def test_nested_body_breaks_neither_its_answer_nor_the_page(
    emulator: Emulator, caller: Caller, depth: int
) -> None:
    response = caller.send("POST", "/wallets", b'{"a":' + nested(depth) + b"}", user_action="x")

    assert response.status_code in {400, 403}
    answered(httpx.get(f"{emulator.url}/_emulator/exchanges", trust_env=False))


def test_name_with_control_characters_stays_in_its_line(
    caller: Caller, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "dfns_signers.emulator")

    refused(
        caller.call("POST", "/wallets", {"network": "Base\n\x1b[31mGET /x 200"}), 400, "field.value"
    )

    assert "\n" not in caplog.messages[-1]
    assert "\x1b" not in caplog.messages[-1]
