"""What a caller sends is what Dfns gets, and what Dfns answers is what the caller gets."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dfns_signers.emulator import Emulator
from tests.core.client.scripted import ScriptedApi
from tests.gateway.requests.raw_requests import answer_to, request
from tests.gateway.running import (
    LISTEN,
    PAYMENTS,
    TOKEN,
    UPSTREAM_TOKEN,
    client_of,
    configuration,
    gateway_before,
    running_gateway,
    served,
)
from tests.support.exchange import Request
from tests.support.fault_proxy import FaultProxy

CALLS = """
[[gateway.callers.payments.allow]]
name = "reads"
call = "GET /wallets"

[[gateway.callers.payments.allow]]
name = "tags"
call = "DELETE /wallets/{walletId}/tags"
escalates = true
members = "any"
"""
ALL = LISTEN + PAYMENTS + CALLS
ONCE = "max_attempts = 1"


@pytest.fixture
def caller(api: ScriptedApi, tmp_path: Path) -> Iterator[httpx.Client]:
    with gateway_before(api.url, tmp_path, ALL, ONCE) as caller:
        yield caller


class Recorded:
    """A gateway whose requests to a local Dfns API are recorded as bytes.

    Args:
        url: of the gateway.
        proxy: before the API.
    """

    def __init__(self, url: str, proxy: FaultProxy) -> None:
        self.url = url
        self.requests: list[Request] = []
        proxy.plan = self.requests.append

    def sent_on(self, raw: bytes) -> Request:
        """The call that Dfns got for a request of a caller, as it was announced."""
        before = len(self.requests)
        answer_to(self.url, raw, raw.split()[0].decode())
        *steps, call = self.requests[before:]
        if steps:
            announced = json.loads(steps[0].body)
            assert announced["userActionPayload"].encode() == call.body
            assert announced["userActionHttpMethod"] == call.method
            assert announced["userActionHttpPath"] == call.target
        assert len(steps) == (0 if call.method == "GET" else 2)
        return call


@contextmanager
def recording(folder: Path) -> Iterator[Recorded]:
    """A gateway whose requests are recorded."""
    with Emulator(exact_payloads=True) as emulator, FaultProxy(emulator.url) as proxy:
        file = configuration(folder, emulator, ALL)
        file.write_text(file.read_text().replace(emulator.url, proxy.url))
        with served(file) as urls:
            yield Recorded(urls[0], proxy)


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Recorded]:
    with recording(tmp_path_factory.mktemp("recorded")) as recorded:
        yield recorded


BODIES = [
    b'{"network":"EthereumSepolia"}',
    b'{ "network" :\t"EthereumSepolia" ,\n  "name" : "a" }\r\n',
    b'{"network":"\\u0045thereumSepolia","name":"\\u00e9\\/"}',
    '{"network":"EthereumSepolia","name":"é 😀"}'.encode(),
]


@pytest.mark.parametrize("body", BODIES)
def test_body_is_announced_and_sent_byte_for_byte(recorded: Recorded, body: bytes) -> None:
    sent = recorded.sent_on(request(body=body))

    assert (sent.method, sent.target, sent.body) == ("POST", "/wallets", body)


@settings(max_examples=30)
@given(st.dictionaries(st.sampled_from(["name", "externalId"]), st.text(max_size=20)))
def test_any_body_is_announced_and_sent_byte_for_byte(
    recorded: Recorded, members: dict[str, str]
) -> None:
    body = json.dumps({"network": "Ethereum", **members}, ensure_ascii=False, indent=1).encode()

    assert recorded.sent_on(request(body=body)).body == body


@pytest.mark.parametrize(
    "query",
    [
        "limit=2",
        "limit=2&a=%2F%zz%41",
        "a=[1]&b={}&c=|^`'\\",
        "&&=",
        "a=1%0d%0aX-Odd:%201",
        "a=?/@:",
    ],
)
def test_query_is_sent_byte_for_byte(recorded: Recorded, query: str) -> None:
    target = f"/wallets?{query}"

    sent = recorded.sent_on(request(b"GET", target.encode(), content_type=None, body=b""))

    assert sent.target == target


def test_query_that_would_be_sent_in_another_spelling_is_refused(
    caller: httpx.Client, api: ScriptedApi
) -> None:
    # httpx encodes these two in every version, and others in some.
    raw = request(b"GET", b"/wallets?a=<>", content_type=None, body=b"")

    answer = answer_to(str(caller.base_url), raw)

    assert (answer.status, answer.check) == (400, "request")
    assert not api.seen


def test_only_headers_of_the_call_are_sent_on(recorded: Recorded) -> None:
    odd = [
        b"Accept: application/json;q=0.9",
        b"User-Agent: curl/8",
        b"X-DFNS-SDK-Version: 9",
        b"X-HTTP-Method-Override: DELETE",
        b"X-Original-URL: /keys",
        b"X-Forwarded-For: 192.0.2.1",
        b"X-DFNS-AppId: ap-1",
        b"Accept-Encoding: br",
        b"Proxy-Authorization: Basic YTpi",
        b"TE: trailers",
        b"Connection: X-DFNS-SDK-Version",
    ]

    sent = recorded.sent_on(request(headers=odd))

    headers = {name.lower(): value for name, value in sent.headers}
    assert headers.pop("x-dfns-useraction")
    assert headers.pop("host")
    assert headers.pop("content-length")
    assert headers == {
        "accept": "application/json;q=0.9",
        "accept-encoding": "gzip",
        "authorization": f"Bearer {UPSTREAM_TOKEN}",
        "connection": "keep-alive",
        "content-type": "application/json",
        "user-agent": "curl/8",
        "x-dfns-sdk-version": "9",
    }


def test_token_of_the_caller_goes_nowhere(caller: httpx.Client, api: ScriptedApi) -> None:
    caller.post("/wallets", json={})

    assert len(api.seen) == 3
    assert not any(TOKEN in str(seen.headers) or TOKEN.encode() in seen.body for seen in api.seen)


def test_user_action_of_a_caller_that_needs_none_is_refused(
    caller: httpx.Client, api: ScriptedApi
) -> None:
    answer = caller.post("/wallets", json={}, headers={"X-DFNS-USERACTION": "foreign"})

    assert (answer.status_code, answer.json()["error"]["id"]) == (403, "gw-foreign-user-action")
    assert not api.seen


def test_body_of_a_delete_call_is_sent_on(caller: httpx.Client, api: ScriptedApi) -> None:
    body = b'{"tags": ["a"]}'
    headers = {"Content-Type": "application/json"}

    caller.request("DELETE", "/wallets/wa-1/tags", content=body, headers=headers)

    (sent,) = api.sent("/wallets/wa-1/tags")
    assert (sent.method, sent.body) == ("DELETE", body)


def test_rules_of_the_profile_hold_for_callers_too(tmp_path: Path) -> None:
    with (
        running_gateway(tmp_path, profile="read_only = true") as gateway,
        gateway.client() as caller,
    ):
        answer = caller.post("/wallets", json={"network": "EthereumSepolia"})

    assert (answer.status_code, answer.json()["error"]["id"]) == (403, "gw-read-only")


def test_limit_of_the_profile_holds_for_callers_too(api: ScriptedApi, tmp_path: Path) -> None:
    limits = "rate_limit = 3\ncall_timeout = 20"  # less than a minute, so that no call waits
    with gateway_before(api.url, tmp_path, ALL, limits) as caller:
        answers = [caller.post("/wallets", json={}) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [200, 429]
    assert answers[1].json()["error"]["id"] == "gw-upstream-rate"
    assert len(api.seen) == 3


def test_calls_share_connections_to_the_api(tmp_path: Path) -> None:
    with recording(tmp_path) as recorded, client_of(recorded.url) as caller:
        for _ in range(3):
            caller.get("/wallets")

    assert [one.connection for one in recorded.requests] == [1, 1, 1]
