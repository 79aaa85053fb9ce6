"""CORS: off unless an origin was named, and then for that origin alone."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from dfns_signers.emulator import Emulator
from dfns_signers.errors import ConfigurationError
from tests.emulator.caller import answered, refused

PAGE = "http://localhost:3000"
ALLOW = "access-control-allow-origin"
SENT = "authorization,content-type,x-dfns-sdk-version,x-dfns-useraction"


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    with Emulator(cors_origins=[PAGE, "https://app.example"]) as running:
        yield running


def preflight(
    emulator: Emulator,
    origin: str,
    method: str = "POST",
    headers: str = SENT,
    path: str = "/wallets",
) -> httpx.Response:
    asked = {
        "Origin": origin,
        "Access-Control-Request-Method": method,
        "Access-Control-Request-Headers": headers,
    }
    return httpx.options(f"{emulator.url}{path}", headers=asked, trust_env=False)


def get(emulator: Emulator, origin: str, path: str = "/wallets", token: str = "") -> httpx.Response:
    headers = {"Origin": origin, "Authorization": f"Bearer {token or emulator.auth_token}"}
    return httpx.get(f"{emulator.url}{path}", headers=headers, trust_env=False)


@pytest.mark.parametrize("origin", [PAGE, "https://app.example"])
@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE"])
def test_preflight_of_a_named_origin_is_answered(
    emulator: Emulator, origin: str, method: str
) -> None:
    response = preflight(emulator, origin, method)

    assert response.status_code == 200
    assert response.headers[ALLOW] == origin
    assert method in response.headers["access-control-allow-methods"]
    allowed = response.headers["access-control-allow-headers"].lower()
    assert set(SENT.split(",")) <= set(allowed.split(", "))
    assert "origin" in response.headers["vary"].lower()


def test_answer_may_be_read_by_a_named_origin_whether_or_not_it_is_a_refusal(
    emulator: Emulator,
) -> None:
    good, bad = get(emulator, PAGE), get(emulator, PAGE, token="another")

    answered(good)
    refused(bad, 401, "token.unknown")
    assert good.headers[ALLOW] == bad.headers[ALLOW] == PAGE


def test_cookies_are_never_allowed(emulator: Emulator) -> None:
    for response in (preflight(emulator, PAGE), get(emulator, PAGE)):
        assert "access-control-allow-credentials" not in response.headers
        assert "access-control-expose-headers" not in response.headers


@pytest.mark.parametrize(
    "origin",
    ["http://localhost:3001", "https://localhost:3000", "http://localhost", "null",
     "http://localhost:3000.example", "https://evil.app.example"],
)  # fmt: skip
def test_other_origins_are_not_allowed(emulator: Emulator, origin: str) -> None:
    assert ALLOW not in preflight(emulator, origin).headers
    assert ALLOW not in get(emulator, origin).headers


def test_refused_preflight_is_among_the_requests_and_names_the_option(emulator: Emulator) -> None:
    refused(preflight(emulator, "http://localhost:3001"), 405, "method", "--cors-origin")

    assert emulator.requests[-1].method == "OPTIONS"


def test_header_that_no_client_sends_is_not_allowed(emulator: Emulator) -> None:
    assert preflight(emulator, PAGE, headers="x-other").status_code == 400


def test_preflight_is_refused_and_no_header_is_sent_unless_origins_were_named() -> None:
    with Emulator() as emulator:
        refused(preflight(emulator, PAGE), 405, "method")
        assert ALLOW not in get(emulator, PAGE).headers


def test_page_of_the_emulator_is_not_open_to_named_origins(emulator: Emulator) -> None:
    response = get(emulator, PAGE, "/_emulator/exchanges")

    assert response.status_code == 403
    assert ALLOW not in response.headers
    assert ALLOW not in preflight(emulator, PAGE, path="/_emulator/step").headers


@pytest.mark.parametrize(
    "origin",
    ["*", "null", "localhost:3000", "http://localhost:3000/", "http://LOCALHOST", "http://a b",
     "http://user@host", "http://localhost:3000/page", "", "http://[::1"],
)  # fmt: skip
def test_origin_that_no_browser_sends_is_refused_at_once(origin: str) -> None:
    with pytest.raises(ConfigurationError, match="expected scheme, host and perhaps a port"):
        Emulator(cors_origins=[origin])


@pytest.mark.parametrize(
    "origin", ["http://[::1]:3000", "https://my-app.example", "capacitor://localhost"]
)
def test_origin_of_any_scheme_is_taken(origin: str) -> None:
    with Emulator(cors_origins=[origin]) as emulator:
        assert preflight(emulator, origin).headers[ALLOW] == origin
