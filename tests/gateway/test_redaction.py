"""Nothing of the gateway that an answer repeats reaches a caller."""

from __future__ import annotations

import json
import string
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable, Iterator
from typing import Final
from urllib.parse import quote

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dfns_signers.gateway.redaction import Redaction
from tests.core.client.scripted import Reply, ScriptedApi, Seen
from tests.gateway.running import UPSTREAM_TOKEN, gateway_before

CHALLENGE: Final = "challenge+of/the=upstream"
IDENTIFIER: Final = "identifier.of-the_challenge"
USER_ACTION: Final = "user+action/of.the-upstream"
SECRETS: Final = (UPSTREAM_TOKEN, USER_ACTION, CHALLENGE, IDENTIFIER)

Spelling = Callable[[str], str]

# Spellings of a secret within a string of JSON.
SPELLINGS: dict[str, Spelling] = {
    "plain": lambda secret: secret,
    "after other words": lambda secret: f"Authorization: Bearer {secret}, and more",
    "after a line end": lambda secret: f"a\\n{secret}\\n",
    "lower case": str.lower,
    "upper case": str.upper,
    "escaped slashes": lambda secret: secret.replace("/", "\\/"),
    "escapes": lambda secret: "".join(f"\\u{ord(one):04x}" for one in secret),
    "escapes in upper case": lambda secret: "".join(f"\\u{ord(one):04X}" for one in secret),
    "some escapes": lambda secret: secret.replace("e", "\\u0065").replace("-", "\\u002d"),
    "JSON within JSON": lambda secret: json.dumps(json.dumps({"echo": secret}))[1:-1],
    "escapes within JSON": lambda secret: "".join(f"\\\\u{ord(one):04x}" for one in secret),
    "percent": lambda secret: "".join(f"%{ord(one):02x}" for one in secret),
    "as in a URL": lambda secret: "https://elsewhere.example/?a=" + quote(secret, safe=""),
    "twice percent": lambda secret: quote(quote(secret, safe=""), safe=""),
    "hexadecimal": lambda secret: secret.encode().hex(),
    "base64": lambda secret: b64encode(secret.encode()).decode(),
    "base64 of more": lambda secret: b64encode(f"user:{secret}:end".encode()).decode(),
    "base64 of a header": lambda secret: b64encode(f"Bearer {secret}".encode()).decode(),
    "base64url": lambda secret: urlsafe_b64encode(f"~~?>{secret}>?".encode()).decode(),
    "many times": lambda secret: secret * 3,
}


@pytest.fixture(scope="module")
def api() -> Iterator[ScriptedApi]:
    with ScriptedApi() as api:
        api.on(
            "/auth/action/init",
            always=Reply(body={"challenge": CHALLENGE, "challengeIdentifier": IDENTIFIER}),
        )
        api.on("/auth/action", always=Reply(body={"userAction": USER_ACTION}))
        yield api


@pytest.fixture(scope="module")
def caller(api: ScriptedApi, tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    folder = tmp_path_factory.mktemp("redaction")
    with gateway_before(api.url, folder, profile="max_attempts = 1") as caller:
        yield caller


@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize("spelling", SPELLINGS.values(), ids=SPELLINGS.keys())
@pytest.mark.parametrize("status", [200, 404])
def test_secret_in_the_body_of_an_answer_is_replaced(
    api: ScriptedApi, caller: httpx.Client, status: int, spelling: Spelling, secret: str
) -> None:
    echo = spelling(secret)
    api.on("/wallets", Reply(status, f'{{"id":"wa-1","{echo}":["{echo}"]}}'))

    answer = caller.post("/wallets", json={})

    assert answer.status_code == status
    assert answer.json()["id"] == "wa-1"
    assert echo not in answer.text
    assert answer.text.count("[redacted]") >= 2


@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize("header", ["content-type", "retry-after", "x-request-id"])
def test_secret_in_a_header_of_an_answer_is_replaced(
    api: ScriptedApi, caller: httpx.Client, header: str, secret: str
) -> None:
    api.on("/wallets", Reply(200, {}, {header: f"a; b={secret}"}))

    answer = caller.post("/wallets", json={})

    assert answer.headers[header] == "a; b=[redacted]"


@pytest.mark.parametrize("secret", [UPSTREAM_TOKEN, CHALLENGE, IDENTIFIER])
@pytest.mark.parametrize("spelling", SPELLINGS.values(), ids=SPELLINGS.keys())
@pytest.mark.parametrize("status", [403, 500])
def test_secret_in_the_error_of_a_step_is_replaced(
    api: ScriptedApi, caller: httpx.Client, status: int, spelling: Spelling, secret: str
) -> None:
    echo = spelling(secret)
    body = f'{{"error":{{"message":"{echo}","details":{{"{echo}":"{echo}"}}}}}}'
    api.on("/auth/action", Reply(status, body, {"Retry-After": secret}))

    answer = caller.post("/wallets", json={})

    shown = answer.text + str(answer.headers)
    assert answer.status_code == (503 if status == 500 else status)
    for form in (echo, json.loads(f'"{echo}"'), secret):
        assert form not in shown


@pytest.mark.parametrize("status", [200, 400, 500])
@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-32"])
def test_answer_that_is_not_utf8_is_not_passed_on(
    api: ScriptedApi, caller: httpx.Client, encoding: str, status: int
) -> None:
    api.on("/wallets", Reply(status, json.dumps({"echo": UPSTREAM_TOKEN}).encode(encoding)))

    answer = caller.post("/wallets", json={})

    assert answer.status_code == 502
    assert UPSTREAM_TOKEN.encode() not in answer.content.replace(b"\0", b"")


def test_page_that_repeats_the_request_is_not_passed_on(
    api: ScriptedApi, caller: httpx.Client
) -> None:
    def echo(seen: Seen) -> Reply:
        lines = "".join(f"<li>{name}: {value}" for name, value in seen.headers.items())
        return Reply(403, f"<html>{lines}</html>", {"Content-Type": "text/html"})

    api.on("/wallets", echo)

    answer = caller.post("/wallets", json={})

    assert (answer.status_code, answer.json()["error"]["id"]) == (502, "gw-upstream-answer")
    assert UPSTREAM_TOKEN not in answer.text
    assert USER_ACTION not in answer.text


@pytest.mark.parametrize(
    "body",
    [
        {"userAction": USER_ACTION},
        {"challenge": CHALLENGE, "challengeIdentifier": IDENTIFIER},
        {"challengeIdentifier": "another"},
    ],
)
def test_answer_of_a_step_is_not_passed_on_as_that_of_a_call(
    api: ScriptedApi, caller: httpx.Client, body: dict[str, str]
) -> None:
    api.on("/wallets", Reply(200, body))

    answer = caller.post("/wallets", json={})

    assert answer.status_code == 502
    assert not any(value in answer.text for value in body.values())


def test_cookies_and_other_headers_are_not_passed_on(
    api: ScriptedApi, caller: httpx.Client
) -> None:
    odd = {"Set-Cookie": "a=1", "X-Echo": UPSTREAM_TOKEN, "Access-Control-Allow-Origin": "*"}
    api.on("/wallets", Reply(200, {}, odd))

    answer = caller.post("/wallets", json={})

    assert answer.status_code == 200
    assert set(answer.headers) <= {"date", "content-length", "content-type"}


@given(
    st.text(string.ascii_letters + string.digits + "+/=._-", min_size=8, max_size=40),
    st.text(max_size=7),
    st.text(max_size=7),
    st.randoms(use_true_random=False),
)
def test_secret_of_any_form_is_found_in_any_mixture_of_escapes(
    secret: str, before: str, behind: str, random: object
) -> None:
    draw = random.choice  # type: ignore[attr-defined]
    mixed = "".join(
        draw([one, f"\\u{ord(one):04x}", f"\\u{ord(one):04X}", f"%{ord(one):02X}"])
        for one in secret
    )
    start, end = (json.dumps(text)[1:-1] for text in (before, behind))

    redacted = Redaction([secret]).of_text(f"{start} {mixed} {end}")

    assert redacted == f"{start} [redacted] {end}"


@pytest.mark.parametrize("filler", ["\\", "\\\\u00", "%25", "%", "u", "\\/"])
def test_filler_that_could_begin_an_escape_takes_no_time_to_look_through(filler: str) -> None:
    many = filler * (200_000 // len(filler))  # for hours, if each place were tried with each length

    redacted = Redaction([UPSTREAM_TOKEN]).of_text(f'{{"a":"{many} {UPSTREAM_TOKEN}"}}')

    assert redacted == f'{{"a":"{many} [redacted]"}}'


def test_secret_that_looks_like_an_escape_is_found_in_any_spelling() -> None:
    secret = "a-%41-secret"

    for spelling in (secret, quote(secret, safe=""), secret.replace("%", "\\u0025")):
        assert Redaction([secret]).of_text(f"%25{spelling}") == "%25[redacted]"


def test_what_is_too_short_to_be_a_secret_is_left() -> None:
    assert Redaction(["wallet"]).of_bytes(b'{"id":"wallet"}') == b'{"id":"wallet"}'


def test_answer_without_a_secret_is_left_as_it_is() -> None:
    body = b'{ "a" : "\\u00e9\xc3\xa9" ,\n"b":1.0}'

    assert Redaction(SECRETS).of_bytes(body) == body


def test_redaction_shows_no_secret_itself() -> None:
    assert UPSTREAM_TOKEN not in repr(Redaction([UPSTREAM_TOKEN]))
