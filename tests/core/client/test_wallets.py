"""Typed calls on wallets and transfers."""

from __future__ import annotations

import json
from typing import Any

import pytest

from dfns_signers.emulator import Emulator
from dfns_signers.errors import ConflictError, NotFoundError, RequestError
from tests.core.client.driving import Driven
from tests.core.client.recordings import calls

ADDRESS = "0x" + "a" * 40


@pytest.fixture
def wallet(dfns: Driven) -> Any:
    return dfns.call(lambda client: client.wallets.create(network="EthereumSepolia"))


def body_of_last(emulator: Emulator) -> Any:
    return json.loads(calls(emulator)[-1].body)


def test_create_sends_what_is_given_by_its_wire_name_and_nothing_else(
    dfns: Driven, emulator: Emulator
) -> None:
    wallet = dfns.call(
        lambda client: client.wallets.create(
            network="EthereumSepolia",
            name="treasury",
            external_id="w-1",
            tags=("a", "b"),
            signing_key={"scheme": "ECDSA", "curve": "secp256k1"},
            extra={"delayDelegation": True},
        )
    )

    assert body_of_last(emulator) == {
        "network": "EthereumSepolia",
        "name": "treasury",
        "signingKey": {"scheme": "ECDSA", "curve": "secp256k1"},
        "externalId": "w-1",
        "tags": ["a", "b"],
        "delayDelegation": True,
    }
    assert wallet["id"].startswith("wa-")
    assert wallet["network"] == "EthereumSepolia"


def test_create_with_one_member_sends_one_member(dfns: Driven, emulator: Emulator) -> None:
    dfns.call(lambda client: client.wallets.create(network="Bitcoin"))

    assert calls(emulator)[-1].body == b'{"network":"Bitcoin"}'


def test_get_returns_what_create_returned(dfns: Driven, wallet: Any) -> None:
    assert dfns.call(lambda client: client.wallets.get(wallet["id"])) == wallet


def test_get_of_an_unknown_wallet_is_not_found(dfns: Driven) -> None:
    with pytest.raises(NotFoundError):
        dfns.call(lambda client: client.wallets.get("wa-none"))


def test_list_filters_by_owner(dfns: Driven, emulator: Emulator, wallet: Any) -> None:
    mine = dfns.call(
        lambda client: client.wallets.create(
            network="Bitcoin", extra={"delegateTo": emulator.user_id}
        )
    )

    by_id = dfns.walk(lambda client: client.wallets.list(owner_id=emulator.user_id))
    by_name = dfns.walk(lambda client: client.wallets.list(owner_username="emulator-user"))
    everyone = dfns.walk(lambda client: client.wallets.list())

    assert by_id == by_name == [mine]
    assert everyone == [wallet, mine]


@pytest.mark.parametrize("amount", [10**18, "1000000000000000000"])
def test_transfer_sends_base_units_as_text(
    dfns: Driven, emulator: Emulator, wallet: Any, amount: int | str
) -> None:
    transfer = dfns.call(
        lambda client: client.wallets.transfer(
            wallet["id"], to=ADDRESS, amount=amount, external_id="t-1", priority="Fast"
        )
    )

    assert calls(emulator)[-1].raw_path == f"/wallets/{wallet['id']}/transfers"
    assert body_of_last(emulator) == {
        "kind": "Native",
        "to": ADDRESS,
        "amount": "1000000000000000000",
        "priority": "Fast",
        "externalId": "t-1",
    }
    assert transfer["walletId"] == wallet["id"]
    assert transfer["status"] == "Pending"


def test_transfer_of_tokens_and_of_an_nft_names_the_contract(
    dfns: Driven, emulator: Emulator, wallet: Any
) -> None:
    contract = "0x" + "c" * 40
    dfns.call(
        lambda client: client.wallets.transfer(
            wallet["id"], kind="Erc20", contract=contract, to=ADDRESS, amount=0
        )
    )
    tokens = body_of_last(emulator)
    dfns.call(
        lambda client: client.wallets.transfer(
            wallet["id"], kind="Erc721", contract=contract, to=ADDRESS, token_id="7"
        )
    )

    assert tokens == {"kind": "Erc20", "to": ADDRESS, "amount": "0", "contract": contract}
    assert body_of_last(emulator) == {
        "kind": "Erc721",
        "to": ADDRESS,
        "contract": contract,
        "tokenId": "7",
    }


@pytest.mark.parametrize(
    "amount", [1.0, 0.1, -1, "-1", "1.5", "1e18", "", " 1", "0x1", "\u0663", True]
)
def test_amount_that_is_no_whole_number_of_base_units_is_refused_and_nothing_is_sent(
    dfns: Driven, emulator: Emulator, amount: Any
) -> None:
    with pytest.raises(RequestError, match="base units"):
        dfns.call(lambda client: client.wallets.transfer("wa-1", to=ADDRESS, amount=amount))

    assert emulator.requests == ()


def test_same_transfer_twice_is_one_transfer_and_another_one_conflicts(
    dfns: Driven, wallet: Any
) -> None:
    def transfer(amount: int) -> Any:
        return dfns.call(
            lambda client: client.wallets.transfer(
                wallet["id"], to=ADDRESS, amount=amount, external_id="t-1"
            )
        )

    first = transfer(5)

    assert transfer(5) == first
    with pytest.raises(ConflictError) as caught:
        transfer(6)
    assert caught.value.details["duplicate"] == {"id": first["id"], "externalId": "t-1"}


def test_member_given_twice_is_refused_and_nothing_is_sent(
    dfns: Driven, emulator: Emulator
) -> None:
    with pytest.raises(RequestError, match="name"):
        dfns.call(
            lambda client: client.wallets.create(
                network="Bitcoin", name="a", extra={"name": "b", "tags": ["c"]}
            )
        )

    assert emulator.requests == ()
