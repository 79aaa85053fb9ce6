"""A refused signature says which credential and key made it, and what to compare."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from dfns_signers import KeySigner, PemKey
from dfns_signers.emulator import Emulator
from dfns_signers.errors import ApiError, AuthenticationError
from dfns_signers.user_action.httpx_auth import UserActionAuth
from tests.core.client.driving import Connector
from tests.core.client.scripted import Reply, ScriptedApi
from tests.core.keys import private_pem, stranger

ACTION = "/auth/action"
REGION = "region of the base URL"


def test_key_of_another_credential_is_named_with_what_to_compare(
    connect: Connector, emulator: Emulator
) -> None:
    key = PemKey.from_pem(private_pem(stranger("Ed25519")))
    dfns = connect(emulator.auth_token, KeySigner(key, "cr-first"), base_url=emulator.url)

    with pytest.raises(ApiError) as caught:
        dfns.call(lambda client: client.post("/wallets", json={"network": "Bitcoin"}))

    for part in (
        "cr-first",
        key.reference,
        key.fingerprint,
        "'dfns-signers public-key'",
        "GET /auth/credentials",
    ):
        assert part in str(caught.value)
    assert REGION not in str(caught.value)


@pytest.mark.parametrize("status", [400, 401, 403])
def test_every_refusal_of_the_signature_names_the_signer(
    api: ScriptedApi, signer: KeySigner, status: int
) -> None:
    api.on(ACTION, Reply(status))

    with (
        httpx.Client(auth=UserActionAuth("token", signer, base_url=api.url)) as http,
        pytest.raises(ApiError, match="cr-first"),
    ):
        http.post(f"{api.url}/wallets")


@pytest.mark.parametrize("status", [404, 429, 500])
def test_other_failure_of_that_step_does_not(
    connect: Connector, api: ScriptedApi, signer: KeySigner, status: int
) -> None:
    dfns = connect("token", signer, base_url=api.url, max_attempts=1)
    api.on(ACTION, Reply(status))

    with pytest.raises(ApiError) as caught:
        dfns.call(lambda client: client.post("/wallets"))

    assert "cr-first" not in str(caught.value)


@pytest.mark.parametrize("place", ["/auth/action/init", "/wallets"])
def test_other_401_asks_for_token_and_region(
    connect: Connector, api: ScriptedApi, signer: KeySigner, place: str
) -> None:
    dfns = connect("token", signer, base_url=api.url)
    api.on(place, Reply(401))

    with pytest.raises(AuthenticationError, match=REGION):
        dfns.call(lambda client: client.post("/wallets"))


def test_of_a_foreign_signer_the_class_alone_is_shown(
    connect: Connector, api: ScriptedApi, signer: KeySigner
) -> None:
    class Remote:
        def sign(self, challenge: Any) -> Any:
            return signer.sign(challenge)

        def __repr__(self) -> str:
            return "secret"

    dfns = connect("token", Remote(), base_url=api.url)
    api.on(ACTION, Reply(401))

    with pytest.raises(AuthenticationError, match="made by the signer Remote") as caught:
        dfns.call(lambda client: client.post("/wallets"))

    assert "secret" not in str(caught.value)
