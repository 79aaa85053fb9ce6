"""``/_emulator``: for people and tests on this machine, and for no page of another site."""

from __future__ import annotations

import json
import ssl
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from dfns_signers.emulator import Emulator
from dfns_signers.emulator.console.posted_controls import CONTROLS
from tests.emulator.caller import Caller, answered
from tests.emulator.webhook_receiver import happen, receiving, webhook

WALLET = {"network": "Base"}
JSON = {"Content-Type": "application/json"}


@pytest.fixture
def http(emulator: Emulator) -> Iterator[httpx.Client]:
    """Somebody without a token."""
    with httpx.Client(base_url=emulator.url, trust_env=False, timeout=10) as client:
        yield client


def exchanges(http: httpx.Client, after: int = 0) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = http.get(f"/_emulator/exchanges?after={after}").json()[
        "exchanges"
    ]
    return found


def refusal(response: httpx.Response, status: int) -> str:
    assert response.status_code == status
    assert response.json()["error"]["status"] == status
    return str(response.json()["error"]["message"])


def test_page_is_whole_and_loads_nothing_from_elsewhere(http: httpx.Client) -> None:
    page = http.get("/_emulator")
    parts = [http.get(f"/_emulator/page.{kind}") for kind in ("css", "js")]

    assert page.headers["content-type"].startswith("text/html")
    assert [part.headers["content-type"].split(";")[0] for part in parts] == [
        "text/css",
        "text/javascript",
    ]
    for part in (page, *parts):
        assert part.status_code == 200
        assert "http://" not in part.text
        assert "https://" not in part.text
        assert "innerHTML" not in part.text
        assert "default-src 'none'" in part.headers["content-security-policy"]
        assert part.headers["x-content-type-options"] == "nosniff"
    assert 'href="/_emulator/page.css"' in page.text
    assert 'src="/_emulator/page.js"' in page.text


def test_exchanges_are_those_after_a_number(caller: Caller, http: httpx.Client) -> None:
    for path in ("/wallets", "/keys?limit=2", "/nowhere"):
        caller.get(path)

    first, second, third = exchanges(http)

    assert [first["number"], second["number"], third["number"]] == [1, 2, 3]
    assert (first["method"], first["target"], first["status"]) == ("GET", "/wallets", 200)
    assert second["target"] == "/keys?limit=2"
    assert (third["status"], third["check"]) == (404, "path")
    assert "/nowhere" in third["reason"]
    assert first["caller"] == "emulator-user"
    assert first["date"] == "2027-01-15T08:00:00.000Z"
    assert first["milliseconds"] >= 0
    assert exchanges(http, after=2) == [third]
    assert exchanges(http, after=3) == []


def test_requests_for_the_page_are_not_among_the_exchanges(
    emulator: Emulator, http: httpx.Client
) -> None:
    http.get("/_emulator")

    assert exchanges(http) == exchanges(http) == []
    assert emulator.requests == ()


def test_start_differs_between_emulators(http: httpx.Client) -> None:
    def start(client: httpx.Client) -> str:
        return str(client.get("/_emulator/exchanges").json()["start"])

    with Emulator() as other, httpx.Client(base_url=other.url, trust_env=False) as second:
        assert start(http) == start(http) != start(second)


def test_signed_call_is_followed_from_its_announcement(
    caller: Caller, stranger: Caller, http: httpx.Client
) -> None:
    caller.create("/wallets", WALLET)
    action = stranger.user_action("POST", "/wallets")
    stranger.send("POST", "/keys", user_action=action)

    assert [(e["caller"], e["target"], e["signing"], e["check"]) for e in exchanges(http)] == [
        ("emulator-user", "/auth/action/init", "announces POST /wallets", ""),
        ("emulator-user", "/auth/action", "cr-first (Key) signs POST /wallets", ""),
        ("emulator-user", "/wallets", "signed by cr-first (Key)", ""),
        ("stranger", "/auth/action/init", "announces POST /wallets", ""),
        ("stranger", "/auth/action", "cr-stranger (Key) signs POST /wallets", ""),
        ("stranger", "/keys", "signed by cr-stranger (Key)", "userAction.path"),
    ]


def test_caller_of_a_service_account_is_named_with_its_kind(
    emulator: Emulator, http: httpx.Client
) -> None:
    account = emulator.add_identity("ci", service_account=True, token="ci")
    for token in (account.token, account.token_jwt, "unknown"):
        http.get("/wallets", headers={"Authorization": f"Bearer {token}"})
    http.get("/wallets")

    callers = [exchange["caller"] for exchange in exchanges(http)]
    assert callers == ["ci (ServiceAccount)", "ci (ServiceAccount)", "", ""]


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"firstFactor":1}', b"\xff", b"[" * 100_000])
def test_body_of_any_form_is_shown(caller: Caller, http: httpx.Client, body: bytes) -> None:
    for path in ("/auth/action/init", "/auth/action", "/wallets"):
        caller.send("POST", path, body)

    assert [exchange["signing"] for exchange in exchanges(http)] == ["", "", ""]


def test_no_token_is_shown(emulator: Emulator, caller: Caller, http: httpx.Client) -> None:
    made = webhook(caller, "https://example.com")
    action = caller.user_action("POST", "/wallets", json.dumps(WALLET))
    identifier = caller.challenge()["challengeIdentifier"]

    shown = http.get("/_emulator/exchanges").text

    for secret in (emulator.auth_token, action, identifier, made["secret"]):
        assert secret not in shown
    assert "(removed)" in shown
    assert "https://example.com" in shown


HOSTILE = [
    {"Host": "evil.example"},
    {"Host": "evil.example:80"},
    {"Host": "127.0.0.1.evil.example"},
    {"Host": "[::1"},
    {"Host": ""},
    {"Origin": "http://evil.example"},
    {"Origin": "null"},
    {"Origin": "http://localhost:1"},
]


@pytest.mark.parametrize("headers", HOSTILE, ids=str)
@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", ""), ("GET", "/exchanges"), *(("POST", f"/{path}") for path in CONTROLS)],
)
def test_page_of_another_site_is_refused(
    http: httpx.Client, headers: dict[str, str], method: str, path: str
) -> None:
    response = http.request(method, f"/_emulator{path}", headers={**JSON, **headers}, content="{}")

    refusal(response, 403)
    assert "access-control-allow-origin" not in response.headers


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost:1", "[::1]:80"])
def test_any_name_of_this_machine_is_taken(http: httpx.Client, host: str) -> None:
    own = {"Host": host, "Origin": f"http://{host}"}

    assert http.get("/_emulator", headers=own).status_code == 200


@pytest.mark.parametrize("path", [f"/{path}" for path in CONTROLS])
@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", ""])
def test_change_that_a_form_of_a_page_could_ask_for_is_refused(
    http: httpx.Client, path: str, kind: str
) -> None:
    headers = {"Content-Type": kind} if kind else {}

    response = http.post(f"/_emulator{path}", content=b'{"id":"x"}', headers=headers)

    assert "application/json" in refusal(response, 415)


def test_step_is_taken_and_said(emulator: Emulator, http: httpx.Client) -> None:
    taken = []
    steps = [lambda: taken.append(1), lambda: taken.append(2)]
    emulator._state.progress.start("xfr-1", steps)

    said = [http.post("/_emulator/step", json={"id": "xfr-1"}).json() for _ in range(3)]

    assert said == [{"stepped": True}, {"stepped": True}, {"stepped": False}]
    assert taken == [1, 2]


@pytest.mark.parametrize("body", [b"", b"{", b"{}", b"[]", b'{"id":1}', b'"xfr-1"', b"[" * 5_000])
def test_step_of_nothing_is_refused(http: httpx.Client, body: bytes) -> None:
    refusal(http.post("/_emulator/step", content=body, headers=JSON), 400)


def test_large_body_is_refused(http: httpx.Client) -> None:
    refusal(http.post("/_emulator/step", content=b" " * 20_000, headers=JSON), 413)


def test_failed_deliveries_are_made_again(
    emulator: Emulator, caller: Caller, http: httpx.Client
) -> None:
    with receiving() as receiver:
        receiver.statuses = [500]
        webhook(caller, receiver.url)
        happen(emulator)
        emulator.webhooks.wait()

        said = []
        for _ in range(2):
            said.append(http.post("/_emulator/webhooks/retry", json={}).json())
            emulator.webhooks.wait()

    assert said == [{"retried": 1}, {"retried": 0}]
    assert len(receiver.received) == 2


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/nowhere"), ("POST", ""), ("GET", "/step"), ("GET", "/page.html"),
     ("GET", "/..%2fidentities.py"), ("OPTIONS", "/exchanges")],
)  # fmt: skip
def test_other_paths_are_not_there(http: httpx.Client, method: str, path: str) -> None:
    refusal(http.request(method, f"/_emulator{path}"), 404)


@pytest.mark.parametrize("after", ["-1", "x", "1.5", "²", "٣", "1" * 5000])
def test_exchanges_after_something_else_than_a_number_are_refused(
    http: httpx.Client, after: str
) -> None:
    refusal(http.get("/_emulator/exchanges", params={"after": after}), 400)


def test_path_of_the_api_that_looks_alike_is_the_api(caller: Caller) -> None:
    assert caller.get("/_emulators").json()["error"]["details"]["check"] == "path"


def test_page_is_served_with_tls_too() -> None:
    with Emulator(tls=True) as emulator:
        own = {"Origin": emulator.url}
        context = ssl.create_default_context(cafile=emulator.ca_file)
        with httpx.Client(verify=context, trust_env=False) as client:
            assert answered(client.get(f"{emulator.url}/_emulator/exchanges", headers=own))
