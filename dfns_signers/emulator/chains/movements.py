"""What a request moves once it is in a block."""

from __future__ import annotations

from typing import Any, Final

from dfns_signers.emulator.chains.assets import NATIVE, asset_kinds, asset_of
from dfns_signers.emulator.chains.settlement import Movement, address_of
from dfns_signers.emulator.state import Record

_CONTRACT_CREATION: Final = f"0x{'00' * 20}"


def movements_of(wallet: Record, body: Record) -> list[Movement]:
    """What a transfer or a transaction moves, by the body of its request.

    Serialized transactions and calls of contracts are not read: they move nothing.
    """
    kind = body["kind"]
    if kind in asset_kinds():
        return [Movement(asset_of(body), body["to"], int(body.get("amount", 1)), body.get("memo"))]
    if kind in {"Evm", "Eip1559"}:
        return [_native(body)]
    if kind == "UserOperations":
        return [_native(operation) for operation in body["userOperations"]]
    if kind == "CancelTransaction":
        return [Movement(NATIVE, address_of(wallet), 0)]
    return []


def _native(call: dict[str, Any]) -> Movement:
    return Movement(NATIVE, call.get("to", _CONTRACT_CREATION), wei(call.get("value", "0")))


def wei(value: str) -> int:
    """An amount in decimal digits, or hexadecimal ones after 0x."""
    return int(value[2:] or "0", 16) if value.startswith("0x") else int(value)
