"""How much of which asset each wallet holds."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from dfns_signers.emulator.chains.assets import Asset


class InsufficientFundsError(Exception):
    """A wallet holds less of an asset than it is to pay."""


@dataclass(slots=True)
class Balances:
    """The holdings of all wallets, in base units.

    A wallet pays what it was never given until it is given something: then its balance of that
    asset is what it can spend.

    Attributes:
        block: number of the last block.
    """

    block: int = 1_000_000
    _amounts: Counter[tuple[str, Asset]] = field(default_factory=Counter, repr=False)
    _limited: set[tuple[str, Asset]] = field(default_factory=set, repr=False)

    def of(self, wallet_id: str) -> dict[Asset, int]:
        """What a wallet holds; assets of which it holds nothing are left out."""
        return {
            asset: amount
            for (holder, asset), amount in self._amounts.items()
            if holder == wallet_id and amount
        }

    def add(self, wallet_id: str, asset: Asset, amount: int) -> None:
        """Add to the balance; a negative amount is taken from it."""
        self._amounts[wallet_id, asset] += amount

    def limit(self, wallet_id: str, asset: Asset) -> None:
        """Let the wallet spend no more of the asset than its balance."""
        self._limited.add((wallet_id, asset))

    def lacking(self, wallet_id: str, needed: Counter[Asset]) -> dict[Asset, int]:
        """What a wallet must be given to pay this.

        Raises:
            InsufficientFundsError: it has to pay from its balance, which is below that.
        """
        lacking = {
            asset: amount - self._amounts[wallet_id, asset]
            for asset, amount in needed.items()
            if amount > self._amounts[wallet_id, asset]
        }
        for asset in lacking:
            if (wallet_id, asset) in self._limited:
                raise InsufficientFundsError(
                    f"insufficient funds: {needed[asset]} of {asset} are needed, and the wallet"
                    f" holds {self._amounts[wallet_id, asset]}"
                )
        return lacking
