"""Our signer in the client of the official SDK, and its signer in our clients."""

from __future__ import annotations

import dfns_sdk
import pytest

from dfns_signers.client.client import AsyncDfnsClient, DfnsClient
from dfns_signers.client.delegated import DelegatedDfnsClient
from dfns_signers.client.results import ChangeRequest
from dfns_signers.emulator import Emulator
from dfns_signers.errors import CredentialNotAllowedError
from dfns_signers.signer import KeySigner


def test_our_signer_signs_for_the_official_client(
    emulator: Emulator, our_signer: KeySigner
) -> None:
    config = dfns_sdk.DfnsClientConfig(
        auth_token=emulator.auth_token, base_url=emulator.url, signer=our_signer
    )
    client = dfns_sdk.DfnsClient(config)
    try:
        made = client.wallets.create_wallet({"network": "EthereumSepolia", "name": "é"})
        listed = client.wallets.list_wallets()
    finally:
        client.close()

    assert listed["items"] == [made]


def test_official_client_does_not_announce_the_bytes_of_a_body_that_is_not_ascii(
    emulator: Emulator, their_signer: dfns_sdk.KeySigner
) -> None:
    emulator.exact_payloads = True
    config = dfns_sdk.DfnsClientConfig(
        auth_token=emulator.auth_token, base_url=emulator.url, signer=their_signer
    )
    client = dfns_sdk.DfnsClient(config)
    try:
        client.wallets.create_wallet({"network": "EthereumSepolia", "name": "e"})
        with pytest.raises(dfns_sdk.DfnsError, match="payload"):
            client.wallets.create_wallet({"network": "EthereumSepolia", "name": "é"})
    finally:
        client.close()


def test_official_signer_is_accepted_by_the_emulator(
    emulator: Emulator, their_signer: dfns_sdk.KeySigner
) -> None:
    config = dfns_sdk.DfnsClientConfig(
        auth_token=emulator.auth_token, base_url=emulator.url, signer=their_signer
    )
    client = dfns_sdk.DfnsClient(config)
    try:
        made = client.keys.create_key({"scheme": "ECDSA", "curve": "secp256k1"})
    finally:
        client.close()

    assert made["scheme"] == "ECDSA"


def test_official_signer_signs_for_our_client(
    emulator: Emulator, their_signer: dfns_sdk.KeySigner
) -> None:
    emulator.exact_payloads = True
    with DfnsClient(emulator.auth_token, their_signer, base_url=emulator.url) as client:
        made = client.wallets.create(network="Bitcoin", name="é")

        assert not isinstance(made, ChangeRequest)
        assert list(client.wallets.list()) == [made]


@pytest.mark.anyio
async def test_official_signer_signs_for_our_asynchronous_client(
    emulator: Emulator, their_signer: dfns_sdk.KeySigner
) -> None:
    emulator.exact_payloads = True
    async with AsyncDfnsClient(emulator.auth_token, their_signer, base_url=emulator.url) as client:
        made = await client.wallets.create(network="Bitcoin", name="é")

        assert [wallet async for wallet in client.wallets.list()] == [made]


def test_our_signer_completes_for_the_official_delegated_client(
    emulator: Emulator, our_signer: KeySigner
) -> None:
    client = dfns_sdk.DfnsDelegatedClient(
        dfns_sdk.DfnsDelegatedClientConfig(auth_token=emulator.auth_token, base_url=emulator.url)
    )
    try:
        challenge = client.wallets.create_wallet_init({"network": "Bitcoin"})
        made = client.wallets.create_wallet_complete(
            {"network": "Bitcoin"},
            {
                "challengeIdentifier": challenge["challengeIdentifier"],
                "firstFactor": dict(our_signer.sign(challenge)),
            },
        )
    finally:
        client.close()

    assert made["network"] == "Bitcoin"


def test_official_signer_completes_for_our_delegated_client(
    emulator: Emulator, their_signer: dfns_sdk.KeySigner
) -> None:
    with DelegatedDfnsClient(emulator.auth_token, base_url=emulator.url) as client:
        pending = client.wallets.create(network="Bitcoin")
        assertion = their_signer.sign(pending.challenge)  # type: ignore[arg-type]  # same JSON

        assert client.complete(pending, assertion)["network"] == "Bitcoin"


def test_refusal_of_our_signer_passes_through_the_official_client(
    emulator: Emulator, our_signer: KeySigner
) -> None:
    identity = emulator.add_identity("other")
    client = dfns_sdk.DfnsClient(
        dfns_sdk.DfnsClientConfig(
            auth_token=identity.token, base_url=emulator.url, signer=our_signer
        )
    )
    try:
        with pytest.raises(CredentialNotAllowedError, match="'cr-1'"):
            client.wallets.create_wallet({"network": "Bitcoin"})
    finally:
        client.close()
