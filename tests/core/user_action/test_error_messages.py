"""An error reads as sentences, and redaction takes no word for a secret."""

from __future__ import annotations

import json

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dfns_signers.errors import UnexpectedResponseError
from dfns_signers.user_action.responses import api_error, read_json, transport_error


def said(message: str, *, status: int = 400, token: str = "", user_action: str = "") -> str:
    headers = {"Authorization": f"Bearer {token}", "X-DFNS-USERACTION": user_action}
    request = httpx.Request("POST", "https://api.dfns.io/wallets", headers=headers)
    content = json.dumps({"message": message}).encode()
    return str(api_error(httpx.Response(status, content=content, request=request), call=True))


def test_missing_permission_is_named_with_how_to_assign_it() -> None:
    message = "ServiceAccount us-1 is not authorized to perform operation (Wallets:Tags:Add)"

    hint = "permission with Wallets:Tags:Add to the token's identity (POST /permissions/"
    assert hint in said(message, status=403)


@pytest.mark.parametrize("message", ["No such wallet", "No such wallet."])
def test_message_with_or_without_a_full_stop_is_followed_by_one_and_the_advice(
    message: str,
) -> None:
    assert "403: No such wallet. Check the permissions" in said(message, status=403)


def test_message_without_advice_ends_without_a_full_stop() -> None:
    assert said("No such wallet.") == "POST /wallets was answered with 400: No such wallet"


@pytest.mark.parametrize("status", [401, 403, 429])
def test_refusal_of_a_gateway_has_its_own_advice_alone(status: int) -> None:
    refusal = {"id": "gw-no-rule", "message": 'Add one with call = "POST /wallets"'}
    response = httpx.Response(
        status,
        json={"error": refusal},
        request=httpx.Request("POST", "http://127.0.0.1:8787/wallets"),
    )

    message = str(api_error(response, call=True, signer="the signer"))

    assert message == f"POST /wallets was answered with {status}: {refusal['message']}"


@pytest.mark.parametrize("secret", ["token", "wallet", "walletx"])
def test_text_too_short_for_a_secret_is_not_redacted(secret: str) -> None:
    message = f"the {secret} is wrong"

    assert said(message, token=secret, user_action=secret).endswith(message)


@pytest.mark.parametrize("secret", ["walletxy", "a-token-of-any-length", "a+token(of|any.length"])
def test_text_of_eight_characters_and_more_is_redacted(secret: str) -> None:
    message = f"the {secret} is wrong"

    for shown in (said(message, token=secret), said(message, user_action=secret)):
        assert shown.endswith("the [redacted] is wrong")


SECRET = "a-token-of-any-length"


def request_with_a_secret() -> httpx.Request:
    headers = {"Authorization": f"Bearer {SECRET}"}
    return httpx.Request("POST", "https://api.dfns.io/wallets", headers=headers)


def test_secret_in_another_case_is_redacted() -> None:
    assert said(f"no host {SECRET.upper()}", token=SECRET).endswith("no host [redacted]")


def test_secret_where_a_body_is_cut_is_redacted() -> None:
    response = httpx.Response(500, text="x" * 1990 + SECRET, request=request_with_a_secret())

    assert api_error(response, call=True).body == "x" * 1990 + "[redacted]"


def test_secret_that_is_the_name_of_a_member_is_redacted() -> None:
    body = {"error": {"message": "No", "details": {SECRET: 1}}}
    response = httpx.Response(400, json=body, request=request_with_a_secret())

    assert api_error(response, call=True).details == {"[redacted]": 1}


def test_secret_in_the_text_of_a_broken_connection_is_redacted() -> None:
    broken = httpx.ConnectError(f"no host {SECRET}")

    error = transport_error(broken, request=request_with_a_secret(), may_have_been_sent=True)

    assert "no host [redacted]" in str(error)


HARMFUL = "No\r\n2026-01-01 INFO all is well\x1b[2J\ud800\u2028\x00 really" + "!" * 5000


def is_harmless(text: str) -> bool:
    return text.isprintable() and len(text) < 2000 and bool(text.encode("utf-8"))


def test_message_of_the_server_is_one_printable_line_of_bounded_length() -> None:
    body = json.dumps({"message": HARMFUL}).encode()
    request = httpx.Request("POST", "https://api.dfns.io/wallets")

    error = api_error(httpx.Response(403, content=body, request=request), call=True)

    assert is_harmless(str(error))
    assert "403: No 2026-01-01 INFO all is well [2J really!" in str(error)
    assert error.body.startswith('{"message"')


@given(message=st.text(st.characters(codec="utf-8")), status=st.sampled_from([400, 401, 500]))
def test_no_message_of_the_server_harms_a_log(message: str, status: int) -> None:
    assert is_harmless(said(message, status=status))


def test_other_words_of_the_server_are_harmless_too() -> None:
    request = httpx.Request("GET", "https://api.dfns.io/wallets")
    kind = {"Content-Type": "text/\x1b[2J" + "x" * 5000}
    response = httpx.Response(200, headers=kind, content=b"<", request=request)

    with pytest.raises(UnexpectedResponseError) as caught:
        read_json(response, sent=request, call=True)

    broken = transport_error(
        httpx.RemoteProtocolError("illegal line: \x1b[2J\n", request=request),
        request=request,
        may_have_been_sent=False,
    )
    assert is_harmless(str(caught.value))
    assert is_harmless(str(broken))
