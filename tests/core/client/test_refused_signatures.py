"""A refused exchange names credential and key, and what finds the reason."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest

from dfns_signers import DfnsClient, KeySigner, PemKey
from dfns_signers.emulator import Emulator
from dfns_signers.errors import ApiError, AuthenticationError
from dfns_signers.user_action.httpx_auth import UserActionAuth
from tests.core.client.driving import Connector
from tests.core.client.scripted import Reply, ScriptedApi
from tests.core.config.support import write_client_config, write_key
from tests.core.keys import private_pem, stranger

ACTION = "/auth/action"
REGION = "region of the base URL"


def test_key_of_another_credential_is_named_with_what_finds_the_reason(
    connect: Connector, emulator: Emulator
) -> None:
    key = PemKey.from_pem(private_pem(stranger("Ed25519")))
    dfns = connect(emulator.auth_token, KeySigner(key, "cr-first"), base_url=emulator.url)

    with pytest.raises(ApiError) as caught:
        dfns.call(lambda client: client.post("/wallets", json={"network": "Bitcoin"}))

    for part in ("cr-first", key.reference, key.fingerprint, "; run: dfns-signers doctor"):
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
@pytest.mark.parametrize(("status", "usual"), [(401, REGION), (403, "Check the permissions")])
def test_refusal_before_and_after_that_step_also_names_the_signer_after_the_usual_reason(
    connect: Connector, api: ScriptedApi, signer: KeySigner, place: str, status: int, usual: str
) -> None:
    dfns = connect("token", signer, base_url=api.url)
    api.on(place, Reply(status, {"message": "No"}))

    with pytest.raises(ApiError, match=rf"{status}: No\. .*{usual}") as caught:
        dfns.call(lambda client: client.post("/wallets"))

    for part in ("cr-first", signer.key.reference, signer.key.fingerprint):
        assert part in str(caught.value)
    assert str(caught.value).endswith("; run: dfns-signers doctor")


@pytest.mark.parametrize("place", ["/auth/action/init", "/wallets"])
@pytest.mark.parametrize("status", [400, 404, 429, 500])
def test_other_failure_of_those_does_not(
    connect: Connector, api: ScriptedApi, signer: KeySigner, place: str, status: int
) -> None:
    dfns = connect("token", signer, base_url=api.url, max_attempts=1)
    api.on(place, Reply(status))

    with pytest.raises(ApiError) as caught:
        dfns.call(lambda client: client.post("/wallets"))

    assert "cr-first" not in str(caught.value)


def test_refusal_of_a_call_that_is_not_signed_names_no_signer(
    connect: Connector, api: ScriptedApi, signer: KeySigner
) -> None:
    dfns = connect("token", signer, base_url=api.url)
    api.on("/wallets", Reply(401))

    with pytest.raises(AuthenticationError, match=rf"{REGION}$"):
        dfns.call(lambda client: client.get("/wallets"))


def test_profile_that_the_signer_was_configured_by_is_named(
    api: ScriptedApi, tmp_path: Path
) -> None:
    write_key(tmp_path)
    config = write_client_config(tmp_path, api.url, "token")
    config.write_text(config.read_text().replace("profiles.p]", "profiles.'the p']"))
    api.on(ACTION, Reply(401))

    with (
        DfnsClient.from_config("the p", config=config) as dfns,
        pytest.raises(AuthenticationError, match=r"doctor --profile 'the p'$"),
    ):
        dfns.post("/wallets")


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
    assert "dfns-signers doctor" not in str(caught.value)
