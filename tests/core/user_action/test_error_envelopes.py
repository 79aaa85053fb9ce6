"""Both error envelopes, and everything that gateways send in their place."""

from __future__ import annotations

import email.utils
import json
import pickle
import time
from typing import Any

import httpx
import pytest

from dfns_signers.errors import ApiError
from dfns_signers.user_action.responses import api_error


def answered(status: int = 400, *, headers: dict[str, str] | None = None, **body: Any) -> ApiError:
    request = httpx.Request("POST", "https://api.dfns.io/wallets")
    return api_error(httpx.Response(status, headers=headers, request=request, **body), call=True)


@pytest.mark.parametrize(
    ("body", "message", "error_id", "details"),
    [
        ({"error": {"message": "m", "id": "e-1", "details": {"k": 1}}}, "m", "e-1", {"k": 1}),
        ({"message": "m", "id": "e-1", "details": {"k": 1}}, "m", "e-1", {"k": 1}),
        ({"error": "text"}, "text", None, None),
        ({"error": "text", "message": "m", "id": "e-1", "details": 7}, "m", "e-1", 7),
        ({"error": {"message": None}}, "Bad Request", None, None),
        ({"error": {"message": ""}}, "Bad Request", None, None),
        ({"error": {"message": ["m"], "id": 5}}, "Bad Request", None, None),
        ({"error": {"message": "m", "details": "text"}}, "m", None, "text"),
        ({"error": {"message": "m", "details": [1]}}, "m", None, [1]),
        ({"error": None, "message": "m"}, "m", None, None),
        ({"error": [1]}, "Bad Request", None, None),
        ({}, "Bad Request", None, None),
        ([1, 2], "Bad Request", None, None),
        (7, "Bad Request", None, None),
        ("text", "Bad Request", None, None),
        (None, "Bad Request", None, None),
    ],
)
def test_envelope_of_any_shape_gives_message_id_and_details(
    body: Any, message: str, error_id: str | None, details: Any
) -> None:
    error = answered(json=body)

    assert str(error) == f"POST /wallets was answered with 400: {message}"
    assert error.error_id == error_id
    assert error.details == details


@pytest.mark.parametrize(
    "content", [b"", b"<html>Bad gateway</html>", b"\xff\xfe", b"{", b"[" * 100_000, b"NaN"]
)
def test_body_that_is_no_json_gives_the_reason_of_the_status(content: bytes) -> None:
    error = answered(502, content=content)

    assert str(error) == (
        "POST /wallets was answered with 502: Bad Gateway. The call may have taken effect: look "
        "before you repeat it"
    )
    assert error.details is None
    assert error.body == content.decode("utf-8", "replace")[:2000]


def test_long_body_is_cut() -> None:
    assert answered(content=b"x" * 5000).body == "x" * 2000


def test_cookies_are_not_kept_and_other_headers_are() -> None:
    error = answered(headers={"Set-Cookie": "session=1", "X-Request-ID": "req-1"})

    assert error.headers == {"x-request-id": "req-1"}


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("0", 0),
        ("120", 120),
        ("1.5", 1.5),
        ("-5", 0),
        ("Thu, 01 Jan 1970 00:00:00 GMT", 0),
        ("nan", None),
        ("inf", None),
        ("soon", None),
        ("", None),
        ("Sat, 01 Jan 10000 00:00:00 GMT", None),
        ("Sat, 01 Jan 99999999999999 00:00:00 GMT", None),
        ("Wed, 99 Oct 2015 07:28:00 GMT", None),
    ],
)
def test_retry_after_is_read_in_seconds_or_not_at_all(value: str, seconds: float | None) -> None:
    assert answered(429, headers={"Retry-After": value}).retry_after == seconds


def test_retry_after_as_http_date_is_the_time_until_then(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "time", lambda: 1_800_000_000.0)
    date = email.utils.formatdate(1_800_000_090, usegmt=True)

    assert answered(503, headers={"Retry-After": date}).retry_after == 90


def test_without_retry_after_nothing_was_asked() -> None:
    assert answered(429).retry_after is None


@pytest.mark.parametrize("levels", [33, 500, 900, 980, 5_000])
@pytest.mark.parametrize("bracket", ["[]", '{"a":}'], ids=["lists", "objects"])
def test_json_of_any_depth_gives_an_error_that_can_be_shown_and_pickled(
    levels: int, bracket: str
) -> None:
    deep = bracket[:-1] * levels + "1" + bracket[-1] * levels
    error = answered(content=f'{{"error":{{"message":"m","details":{deep}}}}}'.encode())

    assert "400: " in str(error)
    assert repr(error.details)
    assert pickle.loads(pickle.dumps(error)).status == 400


def test_details_are_kept_down_to_the_32nd_level() -> None:
    details = "[" * 32 + "1" + "]" * 32
    error = answered(content=f'{{"error":{{"details":[{details},[{details}]]}}}}'.encode())

    assert json.dumps(error.details[0]).count("[") == 31
    assert "1" not in json.dumps(error.details)


def test_integer_of_thousands_of_digits_is_no_json() -> None:
    error = answered(content=b'{"error":{"message":"m","details":' + b"9" * 5000 + b"}}")

    assert str(error) == "POST /wallets was answered with 400: Bad Request"
