"""Query parameters: as the API reads them, and never part of what is signed."""

from __future__ import annotations

import json
from enum import Enum
from typing import Any

import pytest

from dfns_signers.errors import RequestError
from tests.core.client.driving import Driven
from tests.core.client.scripted import ScriptedApi


class Status(str, Enum):
    PENDING = "Pending"


@pytest.mark.parametrize(
    ("params", "query"),
    [
        ({"force": True}, "force=true"),
        ({"force": False}, "force=false"),
        ({"limit": 0}, "limit=0"),
        ({"limit": 1.5}, "limit=1.5"),
        ({"name": ""}, "name="),
        ({"a": None, "b": "x"}, "b=x"),
        ({"status": ["Pending", "Approved"]}, "status=Pending&status=Approved"),
        ({"flags": (True, 0)}, "flags=true&flags=0"),
        ({"status": Status.PENDING}, "status=Pending"),
        ({"status": [Status.PENDING]}, "status=Pending"),
        ({"name": "a&b=c é/?#"}, "name=a%26b%3Dc%20%C3%A9%2F%3F%23"),
    ],
)
def test_query_parameters_are_sent_as_the_api_reads_them(
    scripted: Driven, api: ScriptedApi, params: dict[str, Any], query: str
) -> None:
    scripted.call(lambda client: client.get("/wallets", params=params))

    assert api.seen[-1].target.replace("+", "%20") == f"/wallets?{query}"


@pytest.mark.parametrize("params", [None, {}, {"limit": None}])
def test_without_parameters_there_is_no_query(
    scripted: Driven, api: ScriptedApi, params: dict[str, Any] | None
) -> None:
    scripted.call(lambda client: client.get("/wallets", params=params))

    assert api.seen[-1].target == "/wallets"


def test_query_of_a_signed_call_is_requested_and_not_announced(
    scripted: Driven, api: ScriptedApi
) -> None:
    scripted.call(
        lambda client: client.delete("/auth/service-accounts/us-1", params={"force": True})
    )

    assert json.loads(api.seen[0].body)["userActionHttpPath"] == "/auth/service-accounts/us-1"
    assert api.seen[-1].target == "/auth/service-accounts/us-1?force=true"


@pytest.mark.parametrize(
    "value",
    [
        {"a": 1},
        b"x",
        {1},
        [None],
        [["x"]],
        object(),
        pytest.param("\ud800", id="surrogate"),
        pytest.param(["\ud800"], id="surrogate in a list"),
        pytest.param("x" * 70_000, id="long text"),
    ],
)
def test_query_parameter_that_makes_no_query_is_refused_and_nothing_is_sent(
    scripted: Driven, api: ScriptedApi, value: Any
) -> None:
    with pytest.raises(RequestError):
        scripted.call(lambda client: client.delete("/keys/key-1", params={"x": value}))

    assert api.seen == []
