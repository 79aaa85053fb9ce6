"""Assets that wallets hold: which members name one, which networks know it, how it is counted."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, Final, NamedTuple

from dfns_signers.emulator.chains.native_assets import NATIVE_ASSETS
from dfns_signers.emulator.requests.messages import Refusal, bad_request
from dfns_signers.networks import EVM_NETWORKS, NETWORKS
from dfns_signers.operations import Schema, choices_of, find_operation, options_of, shapes_of

_TOKEN_DECIMALS: Final = 6
QUOTES: Final[Mapping[str, float]] = {"USD": 1.0}
"""What a whole unit of any asset is worth."""
_DESCRIPTION: Final = frozenset(
    {"kind", "symbol", "decimals", "verified", "balance", "quotes", "tokenUri"}
)
# The first words of the networks that have assets, or transactions, of a kind. Kinds that are not
# here, such as Native, are taken on every network.
_FAMILIES: Final[Mapping[str, tuple[str, ...]]] = {
    "Aip21": ("Aptos",),
    "Asa": ("Algorand",),
    "Cip56": ("Canton",),
    "Cis2": ("Concordium",),
    "Cis7": ("Concordium",),
    "Hip17": ("Hedera",),
    "Hts": ("Hedera",),
    "Iou": ("XrpLedger",),
    "Sep41": ("Stellar",),
    "Snip2": ("Starknet",),
    "Snip3": ("Starknet",),
    "Spl": ("Solana",),
    "Spl2022": ("Solana",),
    "Tep74": ("Ton", "Ion"),
    "Trc10": ("Tron",),
    "Trc20": ("Tron",),
    "Trc721": ("Tron",),
    "Xls33": ("XrpLedger",),
    "CreateSolanaNonceAccounts": ("Solana",),
    "Psbt": ("Bitcoin", "Litecoin", "Dogecoin"),
}
_EVM_KINDS: Final = frozenset({"Erc20", "Erc721", "Erc7984", "Evm", "Eip1559", "UserOperations"})


class Asset(NamedTuple):
    """An asset of a network.

    Attributes:
        kind: what transfers name in ``kind``.
        identity: the members that name it, such as ``contract``, with their values.
    """

    kind: str
    identity: tuple[tuple[str, str], ...] = ()

    def __str__(self) -> str:
        return " ".join([self.kind, *(f"{name} {value}" for name, value in self.identity)])

    @property
    def is_unique(self) -> bool:
        """Whether there is one of it: an NFT."""
        return self.kind not in _shapes_of_assets("assets")


NATIVE: Final = Asset("Native")


def asset_of(body: Mapping[str, Any]) -> Asset:
    """The asset that the body of a transfer names."""
    kind = body["kind"]
    identity = ((name, body[name]) for name in identity_members(kind))
    if kind in _EVM_KINDS:  # upper case is a checksum there
        identity = ((name, value.lower()) for name, value in identity)
    return Asset(kind, tuple(identity))


@cache
def asset_kinds() -> tuple[str, ...]:
    """Every kind of asset that the types of the API declare."""
    return tuple(dict.fromkeys([*_shapes_of_assets("assets"), *_shapes_of_assets("nfts")]))


def identity_members(kind: str) -> tuple[str, ...]:
    """The members that name an asset of a kind."""
    shape = _shapes_of_assets("assets").get(kind) or _shapes_of_assets("nfts")[kind]
    return tuple(name for name in shape["properties"] if name not in _DESCRIPTION)


def check_network(kind: str, network: str) -> None:
    """Refuse a kind of transfer or transaction that a network certainly does not have."""
    if network not in NETWORKS:
        raise _wrong_network(f"a wallet of {network} has a key and no blockchain", network)
    if kind in _EVM_KINDS and network not in EVM_NETWORKS:
        raise _wrong_network(f"kind {kind} is for networks of the EVM", network)
    if not network.startswith(_FAMILIES.get(kind, "")):
        families = " and ".join(_FAMILIES[kind])
        raise _wrong_network(f"kind {kind} is for the networks of {families}", network)


def check_replaceable(network: str) -> None:
    """Refuse to replace a transaction where only a new block can undo it."""
    if network not in EVM_NETWORKS:
        raise _wrong_network("cancel and speed-up are for networks of the EVM", network)


def description(network: str, asset: Asset) -> dict[str, Any]:
    """An asset as ``metadata.asset`` describes it; of tokens little is known."""
    if asset.is_unique:
        return {}
    if asset != NATIVE:
        return {"decimals": _TOKEN_DECIMALS}
    symbol, decimals = native_unit(network)
    return {"symbol": symbol, "decimals": decimals, "verified": True}


def native_unit(network: str) -> tuple[str, int]:
    """Symbol and decimals of what a network counts its fees in."""
    family = max((name for name in NATIVE_ASSETS if network.startswith(name)), key=len, default="")
    return NATIVE_ASSETS[family]


def variant(schema: Schema, kind: str) -> Schema | None:
    """The shape that values of a kind must have, of those that a schema allows."""
    options = (one for one in options_of(schema) if kind in choices_of(one["properties"]["kind"]))
    return next(options, None)


def response_shape(path: str) -> Schema:
    """The declared shape of the answer to a GET."""
    operation = find_operation("GET", path)
    shape = shapes_of(operation).response if operation else None
    if shape is None:
        raise LookupError(f"the types declare no answer to GET {path}")
    return shape


def _wrong_network(reason: str, network: str) -> Refusal:
    return bad_request(
        "network",
        f"{reason[0].upper()}{reason[1:]}; the wallet's network is {network}.",
        network=network,
    )


@cache
def _shapes_of_assets(name: str) -> dict[str, Schema]:
    """The shapes of ``assets`` or ``nfts`` of a wallet, by kind."""
    items = response_shape(f"/wallets/{{walletId}}/{name}")["properties"][name]["items"]
    return {
        kind: option
        for option in options_of(items)
        for kind in choices_of(option["properties"]["kind"])
    }
