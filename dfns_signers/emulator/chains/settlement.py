"""What a transaction does to balances and history once it is in a block."""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Sequence
from functools import cache
from typing import Final, Literal, NamedTuple

from dfns_signers.emulator.addresses.encodings import base58
from dfns_signers.emulator.chains.assets import (
    NATIVE,
    Asset,
    description,
    native_unit,
    response_shape,
    variant,
)
from dfns_signers.emulator.requests.wire import iso_date, new_id
from dfns_signers.emulator.state import Collection, Record, State
from dfns_signers.networks import EVM_NETWORKS

_EVM_FEE: Final = 21_000 * 10**9
_FEE: Final = 5_000
_UTXO: Final = ("Bitcoin", "Litecoin", "Dogecoin", "Cardano")
_HASHES_0X: Final = ("Aptos", "Kusama", "Paseo", "Polkadot", "Polymesh", "Starknet", "Westend")
_HASHES_UPPER_CASE: Final = ("Babylon", "Cosmos", "Sei", "XrpLedger")


class Movement(NamedTuple):
    """An amount of an asset that goes from a wallet to an address.

    Attributes:
        asset: what is moved.
        to: the address.
        amount: in base units; 1 of an NFT.
        memo: what history shows as ``memo``.
    """

    asset: Asset
    to: str
    amount: int
    memo: str | None = None


def fee_of(network: str) -> int:
    """The fee of any transaction, in base units of the native asset."""
    return _EVM_FEE if network in EVM_NETWORKS else _FEE


def new_transaction_hash(network: str) -> str:
    """A hash as the network writes it, or else hexadecimal digits; nothing has this hash."""
    if network.startswith("Solana"):
        return base58(secrets.token_bytes(64))
    if network.startswith(("Iota", "Near", "Sui")):
        return base58(secrets.token_bytes(32))
    digits = secrets.token_hex(32)
    if network.startswith(_HASHES_UPPER_CASE):
        return digits.upper()
    return f"0x{digits}" if network in EVM_NETWORKS or network.startswith(_HASHES_0X) else digits


def history(state: State) -> Collection:
    """The entries of all wallets: records of ``id``, ``walletId`` and ``entry``."""
    return state.collection("History entry")


def check_funds(state: State, wallet: Record, movements: Sequence[Movement], fee: int) -> None:
    """See that a wallet can pay.

    Raises:
        InsufficientFundsError: it cannot.
    """
    state.balances.lacking(wallet["id"], _needed(movements, fee))


def settle(
    state: State, wallet: Record, movements: Sequence[Movement], fee: int, tx_hash: str
) -> None:
    """Move what a transaction moves, and write it into the history of both ends.

    Raises:
        InsufficientFundsError: the wallet cannot pay.
    """
    needed = _needed(movements, fee)
    for asset, amount in state.balances.lacking(wallet["id"], needed).items():
        _receive(state, wallet, Movement(asset, address_of(wallet), amount), _nowhere(wallet))
    state.balances.block += 1
    for asset, amount in needed.items():
        state.balances.add(wallet["id"], asset, -amount)
    for movement in movements:  # several have a sponsor, who pays the fee
        _enter(state, wallet, "Out", movement, movement.to, tx_hash, fee)
        for receiver in state.wallets.all():
            if _is_at(receiver, wallet["network"], movement.to):
                entry = _receive(state, receiver, movement, address_of(wallet), tx_hash)
                _announce(state, entry)


def deposit(state: State, wallet: Record, asset: Asset, amount: int) -> None:
    """Give a wallet some of an asset; from then on it pays from its balance of that asset."""
    state.balances.block += 1
    movement = Movement(asset, address_of(wallet), amount)
    _announce(state, _receive(state, wallet, movement, _nowhere(wallet)))
    state.balances.limit(wallet["id"], asset)


def address_of(wallet: Record) -> str:
    """The address of a wallet; its id where the emulator gives it none."""
    address: str = wallet.get("address") or wallet["id"]
    return address


def _needed(movements: Sequence[Movement], fee: int) -> Counter[Asset]:
    needed = Counter({NATIVE: fee}) if fee else Counter()
    for movement in movements:
        needed[movement.asset] += movement.amount
    return needed


def _nowhere(wallet: Record) -> str:
    """Where assets come from that nobody has sent."""
    return f"0x{'00' * 20}" if wallet["network"] in EVM_NETWORKS else "emulator"


def _is_at(wallet: Record, network: str, address: str) -> bool:
    ours = address_of(wallet)
    if network in EVM_NETWORKS:  # upper case is a checksum there
        ours, address = ours.lower(), address.lower()
    return wallet["network"] == network and ours == address


def _receive(
    state: State, wallet: Record, movement: Movement, source: str, tx_hash: str = ""
) -> Record:
    state.balances.add(wallet["id"], movement.asset, movement.amount)
    tx_hash = tx_hash or new_transaction_hash(wallet["network"])
    return _enter(state, wallet, "In", movement, source, tx_hash)


def _announce(state: State, entry: Record) -> None:
    state.events.publish("wallet.blockchainevent.detected", {"blockchainEvent": entry})


def _enter(
    state: State,
    wallet: Record,
    direction: Literal["In", "Out"],
    movement: Movement,
    other_end: str,
    tx_hash: str,
    fee: int = 0,
) -> Record:
    """Write an entry of the declared shape into the history of a wallet."""
    network, asset = wallet["network"], movement.asset
    ours = address_of(wallet)
    source, target = (ours, other_end) if direction == "Out" else (other_end, ours)
    symbol, decimals = native_unit(network)
    metadata: Record = {"asset": description(network, asset)}
    members: Record = {
        "walletId": wallet["id"],
        "direction": direction,
        "network": network,
        "blockNumber": state.balances.block,
        "txHash": tx_hash,
        "timestamp": iso_date(state.clock()),
        "metadata": metadata,
        **dict(asset.identity),
        "kind": history_kind(network, asset),
        "from": source,
        "froms": [source],
        "to": target,
        "tos": [target],
        "value": str(movement.amount),
        **metadata["asset"],
    }
    if asset.kind == "Aip21":
        members["metadataAddress"] = members["metadata"]
        members["metadata"] = metadata
    if fee:
        members["fee"] = str(fee)
        metadata["fee"] = {"symbol": symbol, "decimals": decimals}
    if movement.memo:
        members["memo"] = movement.memo
    declared = _entry_members(members["kind"])
    entry = {name: value for name, value in members.items() if name in declared}
    history(state).add({"id": new_id("he"), "walletId": wallet["id"], "entry": entry})
    return entry


def history_kind(network: str, asset: Asset) -> str:
    """What history calls a movement of an asset."""
    if asset == NATIVE and network.startswith(_UTXO):
        return "UtxoTransfer"
    return f"{asset.kind}Transfer"


@cache
def _entry_members(kind: str) -> frozenset[str]:
    items = response_shape("/wallets/{walletId}/history")["properties"]["items"]["items"]
    shape = variant(items, kind)
    if shape is None:
        raise LookupError(f"the types declare no {kind} in a history")
    return frozenset(shape["properties"])
