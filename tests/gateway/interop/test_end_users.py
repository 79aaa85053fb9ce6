"""An application behind a gateway whose end users have passkeys."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from dfns_signers import DelegatedDfnsClient, DfnsClient, KeySigner, PemKey
from dfns_signers.errors import ApiError, AuthenticationError
from tests.emulator.end_users import Application
from tests.gateway.interop.gateway_world import (
    CALLER_PEM,
    CREDENTIAL,
    TOKEN,
    GatewayWorld,
)

ADA = "ada@example.com"


@pytest.fixture
def application(world: GatewayWorld) -> Application:
    return world.world.application


@pytest.fixture
def operator(world: GatewayWorld) -> Iterator[DfnsClient]:
    """The service account of the application, which has the gateway sign."""
    signer = KeySigner(PemKey.from_pem(CALLER_PEM.encode()), CREDENTIAL)
    with signer, DfnsClient(TOKEN, signer, base_url=world.gateways.account) as operator:
        yield operator


@pytest.fixture
def token_of_ada(world: GatewayWorld, application: Application, operator: DfnsClient) -> str:
    """Of an end user who registered a passkey."""
    challenge: Any = operator.auth.end_users.register(email=ADA)
    temporary = challenge["temporaryAuthenticationToken"]
    with DelegatedDfnsClient(temporary, base_url=world.world.emulator.url) as newcomer:
        newcomer.auth.end_users.complete_registration(
            first_factor_credential=application.passkey(challenge)
        )
    return str(operator.auth.end_users.login(ADA)["token"])


def test_service_account_calls_the_gateway_and_end_users_call_the_api_with_passkeys(
    world: GatewayWorld, application: Application, token_of_ada: str
) -> None:
    with DelegatedDfnsClient(token_of_ada, base_url=world.world.emulator.url) as ada:
        pending = ada.wallets.create(network="EthereumSepolia")

        wallet = ada.complete(pending, application.authenticator.get(dict(pending.challenge)))

    assert wallet["network"] == "EthereumSepolia"


def test_gateway_does_not_send_on_the_token_of_an_end_user(
    world: GatewayWorld, token_of_ada: str
) -> None:
    with (
        DelegatedDfnsClient(token_of_ada, base_url=world.gateways.account) as ada,
        pytest.raises(AuthenticationError, match="does not know the caller"),
    ):
        ada.wallets.create(network="EthereumSepolia")


def test_challenge_of_the_gateway_is_not_for_passkeys(
    world: GatewayWorld, application: Application, token_of_ada: str
) -> None:
    with DelegatedDfnsClient(TOKEN, base_url=world.gateways.account) as caller:
        pending = caller.wallets.create(network="EthereumSepolia")
        assert pending.challenge["allowCredentials"]["webauthn"] == []

        with pytest.raises(ApiError, match="not an assertion of the kind Key") as refused:
            caller.complete(pending, application.authenticator.get(dict(pending.challenge)))

    assert refused.value.error_id == "gw-assertion"
