"""An error reads as sentences, and redaction takes no word for a secret."""

from __future__ import annotations

import httpx
import pytest

from dfns_signers.user_action.responses import api_error


def said(message: str, *, status: int = 400, token: str = "", user_action: str = "") -> str:
    headers = {"Authorization": f"Bearer {token}", "X-DFNS-USERACTION": user_action}
    request = httpx.Request("POST", "https://api.dfns.io/wallets", headers=headers)
    return str(
        api_error(httpx.Response(status, json={"message": message}, request=request), call=True)
    )


@pytest.mark.parametrize("message", ["No such wallet", "No such wallet."])
def test_message_with_or_without_a_full_stop_is_followed_by_one_and_the_advice(
    message: str,
) -> None:
    assert "403: No such wallet. Check the permissions" in said(message, status=403)


def test_message_without_advice_ends_without_a_full_stop() -> None:
    assert said("No such wallet.") == "POST /wallets was answered with 400: No such wallet"


@pytest.mark.parametrize("secret", ["token", "wallet", "walletx"])
def test_text_too_short_for_a_secret_is_not_redacted(secret: str) -> None:
    message = f"the {secret} is wrong"

    assert said(message, token=secret, user_action=secret).endswith(message)


@pytest.mark.parametrize("secret", ["walletxy", "a-token-of-any-length"])
def test_text_of_eight_characters_and_more_is_redacted(secret: str) -> None:
    message = f"the {secret} is wrong"

    for shown in (said(message, token=secret), said(message, user_action=secret)):
        assert shown.endswith("the [redacted] is wrong")
