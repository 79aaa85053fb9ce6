"""A token of any text has a JWT beside it, for clients that read claims before they send."""

from __future__ import annotations

import base64
import json
from typing import Any

import httpx
import pytest

from dfns_signers.emulator import Emulator
from tests.emulator.caller import answered


def claims(jwt: str) -> Any:
    """As the official SDK for TypeScript reads them, which splits at the dots."""
    part = jwt.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


def status(emulator: Emulator, token: str) -> int:
    headers = {"Authorization": f"Bearer {token}"}
    return httpx.get(f"{emulator.url}/wallets", headers=headers, trust_env=False).status_code


@pytest.mark.parametrize("token", ["local", None])
def test_first_user_has_a_jwt_that_names_the_organisation_and_is_accepted(
    token: str | None,
) -> None:
    with Emulator(token=token) as emulator:
        jwt = emulator.settings["auth_token_jwt"]

        metadata = claims(jwt)["https://custom/app_metadata"]
        assert (metadata["orgId"], metadata["userId"]) == (emulator.org_id, emulator.user_id)
        assert status(emulator, jwt) == status(emulator, emulator.auth_token) == 200
        assert (jwt == emulator.auth_token) is (token is None)


def test_both_forms_are_one_token_and_end_together() -> None:
    with Emulator() as emulator:
        identity = emulator.add_identity("ci", service_account=True, token="ci")
        assert status(emulator, identity.token_jwt) == 200

        accounts = httpx.get(
            f"{emulator.url}/auth/service-accounts",
            headers={"Authorization": f"Bearer {emulator.auth_token}"},
            trust_env=False,
        )
        (account,) = answered(accounts)["items"]
        assert len(account["accessTokens"]) == 1
        emulator.disable_identity(identity.user_id)

        assert status(emulator, identity.token_jwt) == status(emulator, "ci") == 401


def test_jwt_is_in_no_representation() -> None:
    with Emulator(token="local") as emulator:
        identity = emulator.add_identity("other", token="other")

        assert identity.token_jwt not in repr(identity)
        assert emulator.settings["auth_token_jwt"] not in repr(emulator)
