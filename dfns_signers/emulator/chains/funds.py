"""What a test gives to wallets."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any, Final

from dfns_signers.emulator.chains.assets import (
    Asset,
    asset_kinds,
    asset_of,
    check_network,
    identity_members,
)
from dfns_signers.emulator.chains.settlement import deposit
from dfns_signers.emulator.requests.messages import Refusal
from dfns_signers.emulator.state import State
from dfns_signers.errors import ConfigurationError
from dfns_signers.near_miss import did_you_mean

_MAXIMUM: Final = 10**78


class Funds:
    """Assets from nowhere; `Emulator.funds`."""

    def __init__(self, state: State, lock: AbstractContextManager[Any]) -> None:
        self._state = state
        self._lock = lock

    def deposit(
        self, wallet_id: str, amount: int | str = 1, kind: str = "Native", **identity: str
    ) -> None:
        """Give a wallet some of an asset; from then on it pays from its balance of that asset.

        Args:
            wallet_id: of a wallet of the emulator.
            amount: in base units, as a number or in decimal digits; 1 for an NFT.
            kind: a kind of transfer, such as ``Erc20``.
            identity: what names the asset, by the names of transfers, such as ``contract``.

        Raises:
            ConfigurationError: no such wallet, or an argument cannot be used.
        """
        with self._lock:
            try:
                wallet = self._state.wallets.get(wallet_id)
                asset = _asset(kind, identity)
                check_network(kind, wallet["network"])
            except Refusal as refusal:
                raise ConfigurationError(str(refusal)) from None
            deposit(self._state, wallet, asset, _amount(amount, asset))


def _asset(kind: str, identity: dict[str, str]) -> Asset:
    if kind not in asset_kinds():
        hint = did_you_mean(kind, asset_kinds()) or f"; it may be {', '.join(asset_kinds())}"
        raise ConfigurationError(f'the emulator has no assets of kind "{kind}"{hint}')
    needed = identity_members(kind)
    if identity.keys() != set(needed):
        raise ConfigurationError(
            f"an asset of kind {kind} is named by {' and '.join(needed) or 'no other argument'},"
            f" and was given {', '.join(sorted(identity)) or 'none'}"
        )
    return asset_of({"kind": kind, **identity})


def _amount(amount: int | str, asset: Asset) -> int:
    digits = str(amount)
    if isinstance(amount, bool) or not (digits.isascii() and digits.isdigit()):
        raise ConfigurationError(f"amount must be an integer in base units, and is {amount!r}")
    if not 0 < int(digits) < _MAXIMUM:
        raise ConfigurationError(f"amount must be 1 to 78 decimal digits, above 0, and is {amount}")
    if asset.is_unique and int(digits) != 1:
        raise ConfigurationError(f"amount of an NFT must be 1, and is {amount}")
    return int(digits)
