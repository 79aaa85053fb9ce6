"""The body is serialised once: what is announced is what is sent."""

from __future__ import annotations

import datetime
import json
import math
from typing import Any

import pytest
from hypothesis import example, given

from dfns_signers.emulator import Emulator
from dfns_signers.errors import BadRequestError, RequestError
from tests.core.client.driving import Driven
from tests.core.client.recordings import announced, calls
from tests.core.client.scripted import ScriptedApi
from tests.core.client.values import OVER_HTTP, json_bodies


def cycle() -> list[Any]:
    body: list[Any] = []
    body.append(body)
    return body


def deep() -> list[Any]:
    body: list[Any] = []
    for _ in range(100_000):
        body = [body]
    return body


@OVER_HTTP
@given(body=json_bodies)
@example(body={})
@example(body=[])
@example(body={"a": None, "b": {"c": [None]}})
@example(body={"amount": 10**40, "rate": 1e-7})
@example(body={"name": "<b>&é\U0001f511"})
def test_any_json_body_is_announced_and_sent_as_the_same_bytes(
    dfns: Driven, emulator: Emulator, body: Any
) -> None:
    # Such a body is no wallet, and the emulator says so once it has accepted the user action.
    with pytest.raises(BadRequestError) as caught:
        dfns.call(lambda client: client.post("/wallets", json=body))

    assert caught.value.details["check"].startswith("field.")
    sent = calls(emulator)[-1]
    assert announced(emulator)[-1]["userActionPayload"].encode() == sent.body
    assert json.loads(sent.body) == body
    assert sent.headers["content-type"] == "application/json"


def test_body_is_compact_utf_8(dfns: Driven, emulator: Emulator) -> None:
    dfns.call(
        lambda client: client.post("/wallets", json={"network": "Bitcoin", "name": "é <&> \u20ac"})
    )

    wanted = '{"network":"Bitcoin","name":"é <&> €"}'
    assert calls(emulator)[-1].body == wanted.encode()
    assert announced(emulator)[-1] == {
        "userActionPayload": wanted,
        "userActionHttpMethod": "POST",
        "userActionHttpPath": "/wallets",
        "userActionServerKind": "Api",
    }


def test_no_body_is_announced_as_an_empty_payload_and_sent_empty(
    dfns: Driven, emulator: Emulator
) -> None:
    account = emulator.add_identity("robot", service_account=True)

    dfns.call(
        lambda client: client.put(
            "/auth/service-accounts/{id}/activate", path_params={"id": account.user_id}
        )
    )

    assert announced(emulator)[-1]["userActionPayload"] == ""
    assert calls(emulator)[-1].body == b""
    assert "content-type" not in calls(emulator)[-1].headers


def test_empty_object_is_announced_and_sent_as_such(dfns: Driven, emulator: Emulator) -> None:
    account = emulator.add_identity("robot", service_account=True)

    dfns.call(
        lambda client: client.put(
            "/auth/service-accounts/{id}/deactivate", path_params={"id": account.user_id}, json={}
        )
    )

    assert announced(emulator)[-1]["userActionPayload"] == "{}"
    assert calls(emulator)[-1].body == b"{}"


def test_delete_carries_its_body(dfns: Driven, emulator: Emulator) -> None:
    wallet = dfns.call(lambda client: client.wallets.create(network="Bitcoin", tags=["a", "b"]))

    dfns.call(
        lambda client: client.delete(
            "/wallets/{id}/tags", path_params={"id": wallet["id"]}, json={"tags": ["a"]}
        )
    )

    assert announced(emulator)[-1]["userActionPayload"] == '{"tags":["a"]}'
    assert calls(emulator)[-1].body == b'{"tags":["a"]}'


@pytest.mark.parametrize(
    "body",
    [
        {"rate": math.nan},
        [math.inf],
        -math.inf,
        "\ud800",
        {"\udfff": 1},
        {"when": datetime.datetime(2026, 1, 1, tzinfo=datetime.timezone.utc)},
        b"bytes",
        {1, 2},
        {(1, 2): 3},
        {1: "a", "1": "b"},
        {"a": {None: 1}},
        [({True: 1},)],
        object(),
        pytest.param(cycle(), id="cycle"),
        pytest.param(deep(), id="deep"),
    ],
)
def test_body_that_is_no_json_is_refused_and_nothing_is_sent(
    scripted: Driven, api: ScriptedApi, body: Any
) -> None:
    with pytest.raises(RequestError, match="body"):
        scripted.call(lambda client: client.post("/wallets", json=body))

    assert api.seen == []
