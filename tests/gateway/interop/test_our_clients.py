"""Our own clients as callers of a gateway: with its base URL, and a throwaway token and key."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from dfns_signers import AsyncDfnsClient, DelegatedDfnsClient, DfnsClient, KeySigner, PemKey
from dfns_signers.client.pending import PendingAction
from dfns_signers.errors import CredentialNotAllowedError, PermissionDeniedError
from dfns_signers.gateway.setup.caller_tokens import new_token
from dfns_signers.lifecycle import Finding, Severity, examine
from tests.core.keys import private_pem
from tests.gateway.running import LISTEN, TOKEN, RunningGateway, running_gateway
from tests.gateway.user_actions.signing_callers import (
    CALLER_KEY,
    CREDENTIAL,
    WALLETS,
    signing_caller,
)

READS = """
[[gateway.callers.payments.allow]]
name = "reads"
call = "GET /wallets"
"""


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningGateway]:
    folder = tmp_path_factory.mktemp("gateway")
    with running_gateway(folder, LISTEN + signing_caller(folder, WALLETS + READS)) as running:
        yield running


def signer(credential_id: str = CREDENTIAL) -> KeySigner:
    return KeySigner(PemKey.from_pem(private_pem(CALLER_KEY)), credential_id)


def test_client_signs_for_the_gateway_which_signs_for_the_api(gateway: RunningGateway) -> None:
    with signer() as own, DfnsClient(TOKEN, own, base_url=gateway.urls[0]) as dfns:
        made = dfns.wallets.create(network="Bitcoin", name="é")

        assert made["id"] in {wallet["id"] for wallet in dfns.wallets.list()}


@pytest.mark.anyio
async def test_asynchronous_client_does_so_too(gateway: RunningGateway) -> None:
    async with AsyncDfnsClient(TOKEN, signer(), base_url=gateway.urls[0]) as dfns:
        assert (await dfns.wallets.create(network="Bitcoin"))["network"] == "Bitcoin"


def test_delegated_client_has_the_call_signed_elsewhere(gateway: RunningGateway) -> None:
    with signer() as elsewhere, DelegatedDfnsClient(TOKEN, base_url=gateway.urls[0]) as dfns:
        sent_away = dfns.wallets.create(network="Bitcoin").to_json()
        pending = PendingAction.from_json(sent_away)

        assert dfns.complete(pending, elsewhere.sign(pending.challenge))["network"] == "Bitcoin"


def test_client_shows_the_refusal_of_the_gateway(gateway: RunningGateway) -> None:
    with (
        signer() as own,
        DfnsClient(TOKEN, own, base_url=gateway.urls[0]) as dfns,
        pytest.raises(PermissionDeniedError, match="does not allow POST /keys") as refused,
    ):
        dfns.keys.create(scheme="ECDSA", curve="secp256k1")

    assert refused.value.error_id == "gw-no-rule"


def examined(folder: Path, gateway: RunningGateway, token: str) -> dict[str, Finding]:
    (folder / "own.pem").write_bytes(private_pem(CALLER_KEY))
    (folder / "own.pem").chmod(0o600)
    (folder / "config.toml").write_text(
        f"""
[profiles.shop]
base_url = "{gateway.urls[0]}"
auth_token = "{token}"
credential_id = "{CREDENTIAL}"
signer = {{ backend = "pem", path = "own.pem" }}
"""
    )
    (folder / "config.toml").chmod(0o600)
    return {one.check: one for one in examine("shop", config=folder / "config.toml")}


def test_examination_of_a_caller_asks_nobody_for_more_power(
    gateway: RunningGateway, tmp_path: Path
) -> None:
    found = examined(tmp_path, gateway, TOKEN)

    assert found["authentication"].message == "the gateway knows the caller"
    assert [one.check for one in found.values() if one.severity is Severity.FAILURE] == []
    assert "gateway check --explain" in found["user action"].remedy
    assert not any("escalates" in f"{one.message} {one.remedy}" for one in found.values())


def test_examination_of_a_caller_whom_the_gateway_does_not_know_fails(
    gateway: RunningGateway, tmp_path: Path
) -> None:
    found = examined(tmp_path, gateway, TOKEN[::-1])

    assert found["authentication"].severity is Severity.FAILURE
    assert "does not know the caller" in found["authentication"].message


def test_examination_says_whose_token_a_caller_has(gateway: RunningGateway, tmp_path: Path) -> None:
    token = new_token("shop", "or-1").open()

    found = examined(tmp_path, gateway, token)["token"]

    assert (found.severity, found.message[:39]) == (
        Severity.OK,
        "of a caller of a gateway, organisation ",
    )


def test_client_with_the_credential_of_the_gateway_itself_signs_nothing(
    gateway: RunningGateway,
) -> None:
    with (
        signer("cr-1") as own,
        DfnsClient(TOKEN, own, base_url=gateway.urls[0]) as dfns,
        pytest.raises(CredentialNotAllowedError, match=f"it allows '{CREDENTIAL}'"),
    ):
        dfns.wallets.create(network="Bitcoin")
