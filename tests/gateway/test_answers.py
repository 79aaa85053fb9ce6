"""What Dfns answers is what the caller gets, or it learns whether its call may have had effect."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.core.client.scripted import CUT, SILENCE, Reply, ScriptedApi, Seen
from tests.gateway.requests.raw_requests import Connection, request
from tests.gateway.running import LISTEN, PAYMENTS, UPSTREAM_TOKEN, gateway_before

READS = """
[[gateway.callers.payments.allow]]
name = "reads"
call = "GET /wallets"

[[gateway.callers.payments.allow]]
name = "logs"
call = "GET /auth/action/logs"
"""


@pytest.fixture
def caller(api: ScriptedApi, tmp_path: Path) -> Iterator[httpx.Client]:
    with gateway_before(
        api.url, tmp_path, LISTEN + PAYMENTS + READS, profile="max_attempts = 1"
    ) as caller:
        yield caller


ANSWERS = {
    "odd JSON": Reply(200, b'{ "a" : 1.50,\n"\\u00e9":"\xc3\xa9" }'),
    "approval": Reply(202, {"id": "cr-1", "status": "Pending"}),
    "nothing": Reply(200, b""),
    "no content": Reply(204, b""),
    "list": Reply(200, []),
    "bad request": Reply(400, b'{"error":{"message":"odd" , "details":{}}}'),
    "denied": Reply(403, {"error": {"message": "no permission"}}),
    "not found": Reply(404, {"error": {"message": "no wallet"}}),
    "conflict": Reply(409, {"error": {"message": "used"}}),
    "teapot": Reply(418, {"message": "short"}),
    "limited": Reply(429, {"error": {"message": "slow down"}}, {"Retry-After": "7"}),
}


@pytest.mark.parametrize("reply", ANSWERS.values(), ids=ANSWERS.keys())
def test_answer_of_the_api_is_passed_on_byte_for_byte(
    caller: httpx.Client, api: ScriptedApi, reply: Reply
) -> None:
    named = {"Content-Type": "application/json; charset=utf-8", "X-Request-Id": "r-1"}
    api.on("/wallets", Reply(reply.status, reply.content, {**named, **reply.headers}))

    answer = caller.post("/wallets", json={})

    assert (answer.status_code, answer.content) == (reply.status, reply.content)
    assert answer.headers["content-type"] == "application/json; charset=utf-8"
    assert answer.headers["x-request-id"] == "r-1"
    assert answer.headers.get("retry-after") == reply.headers.get("Retry-After")


CSV = {"Content-Type": "Text/CSV; charset=utf-8"}


def test_csv_of_a_read_is_passed_on_without_secrets_of_the_gateway(
    caller: httpx.Client, api: ScriptedApi
) -> None:
    api.on("/auth/action/logs", Reply(200, f"id,note\r\n1,é {UPSTREAM_TOKEN}\r\n", CSV))

    answer = caller.get("/auth/action/logs?startTime=2026-01-01&endTime=2027-01-01")

    assert (answer.status_code, answer.headers["content-type"]) == (200, CSV["Content-Type"])
    assert answer.content == "id,note\r\n1,é [redacted]\r\n".encode()


@pytest.mark.parametrize(
    ("method", "reply"),
    [
        ("GET", Reply(200, "<html>", {"Content-Type": "text/html"})),
        ("GET", Reply(200, "id,note")),
        ("GET", Reply(404, "id,note", CSV)),
        ("GET", Reply(200, b"id,\xff", CSV)),
        ("POST", Reply(200, "id,note", CSV)),
    ],
    ids=["page", "no type", "error", "not UTF-8", "write"],
)
def test_other_answer_that_is_not_json_is_not_passed_on(
    caller: httpx.Client, api: ScriptedApi, method: str, reply: Reply
) -> None:
    api.on("/wallets", reply)

    answer = caller.request(method, "/wallets", json={} if method == "POST" else None)

    assert (answer.status_code, answer.json()["error"]["id"]) == (502, "gw-upstream-answer")


@pytest.mark.parametrize("path", ["/auth/action/init", "/auth/action"])
@pytest.mark.parametrize("status", [400, 403, 404, 429])
def test_refusal_of_a_step_is_passed_on_as_an_error_of_the_api(
    caller: httpx.Client, api: ScriptedApi, path: str, status: int
) -> None:
    error = {"id": "E1", "message": "no such credential", "details": {"a": [1]}}
    api.on(path, Reply(status, {"error": error}, {"Retry-After": "7"}))

    answer = caller.post("/wallets", json={})

    said = answer.json()["error"]
    assert (answer.status_code, answer.headers["retry-after"]) == (status, "7")
    assert (said["id"], said["details"]) == ("E1", {"a": [1]})
    assert "no such credential" in said["message"]
    assert not api.sent("/wallets")


@pytest.mark.parametrize("path", ["/auth/action/init", "/auth/action", "/wallets"])
def test_refused_token_of_the_gateway_is_no_refusal_of_the_caller(
    caller: httpx.Client, api: ScriptedApi, path: str
) -> None:
    api.on(path, Reply(401, {"error": {"message": "expired"}}))

    answer = caller.post("/wallets", json={})

    assert (answer.status_code, answer.json()["error"]["id"]) == (502, "gw-upstream-unauthorized")


@pytest.mark.parametrize("location", ["https://evil.example/wallets", "/keys", ""])
def test_redirect_is_neither_followed_nor_passed_on(
    caller: httpx.Client, api: ScriptedApi, location: str
) -> None:
    api.on("/wallets", Reply(307, {}, {"Location": location}))

    answer = caller.post("/wallets", json={}, follow_redirects=True)

    assert answer.status_code == 502
    assert len(api.seen) == 3
    assert "location" not in answer.headers


@pytest.mark.parametrize(
    ("path", "reply", "expected", "uncertain"),
    [
        ("/wallets", Reply(500, {}), (502, "gw-upstream-error"), True),
        ("/wallets", Reply(503, b"<html>"), (502, "gw-upstream-error"), True),
        ("/auth/action", Reply(503, {}), (503, "gw-upstream-error"), False),
        ("/wallets", Reply(408, {}), (502, "gw-upstream-answer"), True),
        ("/wallets", Reply(404, b"<html>"), (502, "gw-upstream-answer"), False),
        ("/wallets", Reply(200, b"<html>"), (502, "gw-upstream-answer"), True),
        (
            "/wallets",
            Reply(200, b'{"a":"' + b"x" * 2**23 + b'"}'),
            (502, "gw-upstream-answer"),
            True,
        ),
        ("/wallets", CUT, (502, "gw-upstream-connection"), True),
        ("/auth/action", CUT, (502, "gw-upstream-connection"), False),
        ("/wallets", SILENCE, (504, "gw-upstream-timeout"), True),
        ("/auth/action/init", SILENCE, (504, "gw-upstream-timeout"), False),
    ],
)
def test_call_without_an_answer_says_whether_it_may_have_taken_effect(
    api: ScriptedApi,
    tmp_path: Path,
    path: str,
    reply: Reply,
    expected: tuple[int, str],
    uncertain: bool,
) -> None:
    api.on(path, reply)
    patience = 1.0 if reply is SILENCE else 60.0  # more than the steps before take
    limits = f"max_attempts = 1\ntimeout = {patience}"
    with gateway_before(api.url, tmp_path, profile=limits) as caller:
        answer = caller.post("/wallets", json={})

    error = answer.json()["error"]
    assert (answer.status_code, error["id"]) == expected
    assert error["details"].get("mayHaveTakenEffect", False) is uncertain
    assert ("may have taken effect" in error["message"]) is uncertain


def test_lost_answer_is_asked_for_again_where_repeating_is_safe(
    api: ScriptedApi, tmp_path: Path
) -> None:
    api.on("/wallets", CUT)
    with gateway_before(api.url, tmp_path) as caller:
        answer = caller.post("/wallets", json={"network": "Ethereum", "externalId": "e-1"})

    assert answer.status_code == 200
    assert [seen.user_action for seen in api.sent("/wallets")] == ["action-1", "action-2"]


def test_call_whose_answer_is_lost_is_not_sent_again(api: ScriptedApi, tmp_path: Path) -> None:
    api.on("/wallets", CUT)
    with gateway_before(api.url, tmp_path) as caller:
        answer = caller.post("/wallets", json={"network": "Ethereum"})

    assert answer.status_code == 502
    assert len(api.sent("/wallets")) == 1


def test_repeated_call_that_is_refused_does_not_hide_that_the_first_may_have_taken_effect(
    api: ScriptedApi, tmp_path: Path
) -> None:
    api.on("/wallets", CUT, Reply(400, {"error": {"message": "refused"}}))
    with gateway_before(api.url, tmp_path) as caller:
        answer = caller.post("/wallets", json={"network": "Ethereum", "externalId": "e-1"})

    assert answer.status_code == 502
    assert answer.json()["error"]["details"]["mayHaveTakenEffect"] is True


class HeldApi:
    """Has an API wait in the middle of a call.

    Args:
        api: to be held at the next announcement.
    """

    def __init__(self, api: ScriptedApi) -> None:
        self._announced, self._released = threading.Event(), threading.Event()
        api.on("/auth/action/init", self._hold)

    def _hold(self, _: Seen) -> Reply:
        self._announced.set()
        assert self._released.wait(30)
        return Reply(body={"challenge": "challenge-1", "challengeIdentifier": "id-1"})

    def wait(self) -> None:
        """Wait until a call has been announced."""
        assert self._announced.wait(30)

    def release(self, other: httpx.Client) -> None:
        """Let the call go on, once the gateway has heard all that was sent to it before."""
        other.get("/auth/users")
        self._released.set()


def test_call_whose_caller_hangs_up_is_carried_out_once(
    caller: httpx.Client, api: ScriptedApi
) -> None:
    held, carried_out = HeldApi(api), threading.Event()

    def note(_: Seen) -> Reply:
        carried_out.set()
        return Reply(body={})

    api.on("/wallets", note)
    with Connection(str(caller.base_url)) as connection:
        connection.send(request(host=connection.host))
        held.wait()
    held.release(caller)

    assert carried_out.wait(30)
    assert len(api.sent("/wallets")) == 1


def test_bytes_behind_the_last_request_of_a_connection_do_not_cost_its_answer(
    caller: httpx.Client, api: ScriptedApi
) -> None:
    held = HeldApi(api)
    with Connection(str(caller.base_url)) as connection:
        connection.send(request(host=connection.host, headers=[b"Connection: close"]))
        held.wait()
        connection.send(b"odd bytes\r\n\r\n")
        held.release(caller)

        assert connection.answer().status == 200
