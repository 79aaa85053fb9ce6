"""Our own clients as callers of a gateway: with its base URL, and a throwaway token and key."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from dfns_signers import AsyncDfnsClient, DelegatedDfnsClient, DfnsClient, KeySigner, PemKey
from dfns_signers.client.pending import PendingAction
from dfns_signers.errors import CredentialNotAllowedError, PermissionDeniedError
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


def test_client_with_the_credential_of_the_gateway_itself_signs_nothing(
    gateway: RunningGateway,
) -> None:
    with (
        signer("cr-1") as own,
        DfnsClient(TOKEN, own, base_url=gateway.urls[0]) as dfns,
        pytest.raises(CredentialNotAllowedError, match=f"it allows '{CREDENTIAL}'"),
    ):
        dfns.wallets.create(network="Bitcoin")
