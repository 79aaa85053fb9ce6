"""Typed calls on wallets. Source: Dfns API reference, wallets and transfers."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypedDict

from typing_extensions import NotRequired

from dfns_signers.arguments import shown
from dfns_signers.client.call import Call
from dfns_signers.client.endpoint import ClientT_co, Resource, listing, signed, unsigned
from dfns_signers.errors import RequestError
from dfns_signers.user_action.bodies import members


class WalletKey(TypedDict):
    """The key behind a wallet."""

    id: str
    scheme: str
    curve: str
    publicKey: str


class Wallet(TypedDict):
    """A wallet, as the API returns it; further members may come with it."""

    id: str
    network: str
    status: str
    signingKey: WalletKey
    dateCreated: str
    custodial: NotRequired[bool]
    address: NotRequired[str | None]
    name: NotRequired[str | None]
    externalId: NotRequired[str | None]
    tags: NotRequired[list[str]]


class Transfer(TypedDict):
    """A transfer; final ``status`` are Confirmed, Failed and Rejected."""

    id: str
    walletId: str
    network: str
    status: str
    requester: dict[str, Any]
    requestBody: dict[str, Any]
    dateRequested: str
    txHash: NotRequired[str | None]
    reason: NotRequired[str | None]
    approvalId: NotRequired[str | None]
    externalId: NotRequired[str | None]


def _create(
    *,
    network: str,
    name: str | None = None,
    signing_key: Mapping[str, Any] | None = None,
    external_id: str | None = None,
    tags: Sequence[str] | None = None,
    extra: Mapping[str, Any] | None = None,
) -> Call[Wallet]:
    """Create a wallet.

    Args:
        network: such as ``EthereumSepolia``.
        name: for people.
        signing_key: ``{"id": …}`` of an existing key, or what the new key should be.
        external_id: up to 100 characters; makes the call safe to repeat.
        tags: labels.
        extra: further members of the body, by their names in the API.
    """
    body = members(
        extra,
        network=network,
        name=name,
        signingKey=signing_key,
        externalId=external_id,
        tags=None if tags is None else _labels(tags),
    )
    return Call.of("POST", "/wallets", json=body)


def _labels(tags: object) -> list[Any]:
    if isinstance(tags, (str, bytes)) or not isinstance(tags, Iterable):
        raise RequestError(f"'tags' must be a list of strings, not {type(tags).__name__}")
    return list(tags)


def _get(wallet_id: str) -> Call[Wallet]:
    """Get one wallet."""
    return Call.of("GET", "/wallets/{walletId}", path_params={"walletId": wallet_id})


def _list(
    *, owner_id: str | None = None, owner_username: str | None = None, limit: int | None = None
) -> Call[Wallet]:
    """List wallets; ``limit`` is the size of a page."""
    return Call.of(
        "GET",
        "/wallets",
        params={"ownerId": owner_id, "ownerUsername": owner_username, "limit": limit},
    )


def _transfer(
    wallet_id: str,
    *,
    to: str,
    amount: str | int | None = None,
    kind: str = "Native",
    contract: str | None = None,
    token_id: str | None = None,
    memo: str | None = None,
    priority: str | None = None,
    external_id: str | None = None,
    extra: Mapping[str, Any] | None = None,
) -> Call[Transfer]:
    """Transfer an asset out of a wallet.

    Args:
        wallet_id: the wallet that pays.
        to: the address that receives.
        amount: in base units (wei, satoshi), an integer or its decimal string; not for NFTs.
        kind: such as ``Native``, ``Erc20`` or ``Erc721``.
        contract: address of the token contract.
        token_id: which NFT.
        memo: on networks that have one.
        priority: ``Slow``, ``Standard`` or ``Fast``.
        external_id: up to 50 characters; makes the call safe to repeat.
        extra: further members of the body, by their names in the API.
    """
    body = members(
        extra,
        kind=kind,
        to=to,
        amount=_base_units(amount),
        contract=contract,
        tokenId=token_id,
        memo=memo,
        priority=priority,
        externalId=external_id,
    )
    return Call.of(
        "POST", "/wallets/{walletId}/transfers", path_params={"walletId": wallet_id}, json=body
    )


def _base_units(amount: object) -> str | None:
    if amount is None:
        return None
    if (
        isinstance(amount, bool)
        or not isinstance(amount, (str, int))
        or not re.fullmatch("[0-9]+", digits := _text(amount))
    ):
        raise RequestError(
            f"the amount must be an integer of base units (wei, satoshi), not {shown(amount)}"
        )
    return digits


def _text(amount: str | int) -> str:
    try:
        return str(amount)
    except ValueError:  # more digits than Python writes
        return ""


class Wallets(Resource[ClientT_co]):
    """Wallets, and transfers out of them."""

    create = signed(_create)
    get = unsigned(_get)
    list = listing(_list)
    transfer = signed(_transfer)
