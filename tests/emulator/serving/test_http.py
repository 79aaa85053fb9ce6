from __future__ import annotations

import http.client
import logging
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

import pytest

from dfns_signers.emulator import Emulator
from tests.emulator.caller import Caller, answered, compact, refused
from tests.emulator.conftest import Clock

WALLET = compact({"network": "Ethereum"})
MAXIMUM = 1_048_576


def sized(size: int) -> bytes:
    """A wallet request of this many bytes."""
    start, end = b'{"network":"Ethereum","name":"', b'"}'
    return start + b"x" * (size - len(start) - len(end)) + end


def test_bare_address_leads_to_the_page(caller: Caller) -> None:
    refused(caller.get("/"), 404, "path", "the page of its requests is at /_emulator")


@pytest.mark.parametrize(
    "path", ["/", "/wallet", "/wallets/", "/wallets//tags", "/gw/wallets", "/wallets/a/b/c", "/v2"]
)
def test_unknown_path_is_refused(caller: Caller, path: str) -> None:
    error = refused(caller.get(path), 404, "path")
    assert path in error["message"]


@pytest.mark.parametrize(("length", "more"), [(200, ""), (201, "... (201 characters)")])
def test_long_text_is_cut_in_the_error(caller: Caller, length: int, more: str) -> None:
    error = refused(caller.get(f"/keys/{'x' * length}"), 404, "entity")

    assert error["message"] == f'Key "{"x" * 200}"{more} not found.'


def test_encoded_slash_in_an_id_does_not_separate(caller: Caller) -> None:
    error = refused(caller.get("/wallets/a%2Fb"), 404, "entity")
    assert '"a/b"' in error["message"]


def test_dots_in_a_path_are_not_resolved(emulator: Emulator, caller: Caller) -> None:
    parts = urlsplit(emulator.url)
    connection = http.client.HTTPConnection(str(parts.hostname), parts.port, timeout=10)
    headers = {"Authorization": f"Bearer {caller.token}"}

    connection.request("GET", "/keys/../wallets", headers=headers)
    status = connection.getresponse().status
    connection.close()

    assert status == 404
    assert emulator.requests[-1].raw_path == "/keys/../wallets"


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PATCH", "/wallets", "GET, POST"),
        ("DELETE", "/wallets", "GET, POST"),
        ("HEAD", "/wallets/x/tags", "DELETE, PUT"),
        ("GET", "/auth/action/init", "POST"),
    ],
)
def test_other_method_on_a_known_path_is_refused(
    caller: Caller, method: str, path: str, allowed: str
) -> None:
    response = caller.send(method, path)

    assert response.status_code == 405
    assert response.headers["allow"] == allowed


def test_body_of_the_maximum_size_is_accepted(caller: Caller) -> None:
    body = sized(MAXIMUM)
    action = caller.user_action("POST", "/wallets", compact({"network": "Ethereum"}).decode())

    # The payload differs, so the body was read and parsed.
    response = caller.send("POST", "/wallets", body, user_action=action)

    refused(response, 403, "userAction.payload")


def test_body_above_the_maximum_size_is_refused(emulator: Emulator, caller: Caller) -> None:
    response = caller.send("POST", "/wallets", sized(MAXIMUM + 1), user_action="x")

    refused(response, 413, "body.size", "1048576")
    assert emulator.requests[-1].body == b""


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"{", "JSON"),
        (b"{'network':'Ethereum'}", "JSON"),
        (b'{"network":"Ethereum"}x', "JSON"),
        (b'{"network":"\xe9"}', "not UTF-8"),
        (b'\xef\xbb\xbf{"network":"Ethereum"}', "JSON"),
        (b'{"network":"Bitcoin","network":"Ethereum"}', "occurs twice"),
        (b'{"network":NaN}', "JSON"),
        (b'{"network":1e999}', "JSON"),
        (b'{"network":"\\ud800"}', "JSON"),
        (b"[" * 200_000, "nested"),
    ],
    ids=[
        "cut",
        "quotes",
        "trailing",
        "latin-1",
        "bom",
        "twice",
        "nan",
        "overflow",
        "surrogate",
        "depth",
    ],
)
def test_body_that_is_not_json_is_refused(caller: Caller, body: bytes, words: str) -> None:
    refused(caller.send("POST", "/wallets", body, user_action="x"), 400, "body.json", words)


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", ""])
def test_body_of_another_content_type_is_refused(caller: Caller, content_type: str) -> None:
    action = caller.user_action("POST", "/wallets", WALLET.decode())

    response = caller.send(
        "POST", "/wallets", WALLET, user_action=action, headers={"Content-Type": content_type}
    )

    refused(response, 400, "body.type", "application/json")


@pytest.mark.parametrize(
    "content_type", ["application/json; charset=utf-8", "Application/JSON", "application/json"]
)
def test_body_of_the_json_content_type_is_accepted(caller: Caller, content_type: str) -> None:
    action = caller.user_action("POST", "/wallets", WALLET.decode())

    response = caller.send(
        "POST", "/wallets", WALLET, user_action=action, headers={"Content-Type": content_type}
    )

    answered(response)


def test_body_of_a_get_is_ignored(caller: Caller) -> None:
    answered(caller.send("GET", "/wallets", b"{"))


def test_unknown_query_parameter_is_refused(caller: Caller) -> None:
    error = refused(caller.get("/wallets?size=1"), 400, "field.unknown")
    assert error["details"]["field"] == "query.size"


def test_query_parameter_on_a_call_without_any_is_refused(caller: Caller) -> None:
    refused(
        caller.call("POST", "/wallets", {"network": "Base"}, query="?a=1"), 400, "field.unknown"
    )


def test_answers_are_json(caller: Caller) -> None:
    assert caller.get("/wallets").headers["content-type"] == "application/json"
    assert caller.get("/nothing").headers["content-type"] == "application/json"


def test_request_log_shows_what_was_sent_without_tokens(emulator: Emulator, caller: Caller) -> None:
    action = caller.user_action("POST", "/wallets", WALLET.decode())
    caller.send("POST", "/wallets?a=%20", WALLET, user_action=action, headers={"X-Note": "n"})

    request = emulator.requests[-1]

    assert request.method == "POST"
    assert request.raw_path == "/wallets"
    assert request.query == "a=%20"
    assert request.body == WALLET
    assert request.headers["content-type"] == "application/json"
    assert request.headers["authorization"] == "(removed)"
    assert request.headers["x-dfns-useraction"] == "(removed)"
    assert caller.token not in repr(emulator.requests)
    assert action not in repr(emulator.requests)


def test_request_log_has_the_newest_request_last(emulator: Emulator, caller: Caller) -> None:
    caller.get("/wallets")
    caller.get("/keys")

    assert [request.raw_path for request in emulator.requests] == ["/wallets", "/keys"]


def test_request_log_joins_repeated_headers_and_hides_repeated_tokens(
    emulator: Emulator, caller: Caller
) -> None:
    token = ("Authorization", f"Bearer {caller.token}")
    caller.http.get("/wallets", headers=[token, token, ("X-Note", "a"), ("X-Note", "b")])

    headers = emulator.requests[-1].headers

    assert headers["x-note"] == "a, b"
    assert headers["authorization"] == "(removed)"


def test_nothing_is_logged_even_where_the_program_logs_everything(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(1)
    with Emulator() as emulator:
        parts = urlsplit(emulator.url)
        connection = http.client.HTTPConnection(str(parts.hostname), parts.port, timeout=10)
        headers = {"Authorization": f"Bearer {emulator.auth_token}"}
        connection.request("GET", "/wallets", headers=headers)
        assert connection.getresponse().status == 200
        connection.close()

    logged = [record for record in caplog.records if record.name.startswith("uvicorn")]
    assert logged == []
    assert logging.getLogger("uvicorn").handlers == []
    assert emulator.auth_token not in caplog.text
    assert logging.getLogger().handlers


def test_each_answer_has_the_time_of_the_clock(caller: Caller, clock: Clock) -> None:
    dates = []
    for _ in range(2):
        clock.now += 60
        date = caller.get("/wallets").headers["date"]
        dates.append(parsedate_to_datetime(date).timestamp() - clock.now)

    assert dates == [0, 0]
