"""Wallets of one emulator, and what they hold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from dfns_signers.emulator import Emulator
from tests.emulator.caller import Caller, answered

NOWHERE = "0x" + "00" * 20
TOKEN = {"kind": "Erc20", "contract": "0x" + "ab" * 20}
NFT = {"kind": "Erc721", "contract": "0x" + "cd" * 20, "tokenId": "7"}
ETHER = 10**18


@dataclass(frozen=True)
class Holdings:
    """Makes wallets and transfers, and reads what they hold."""

    emulator: Emulator
    caller: Caller

    def wallet(self, network: str = "Base") -> dict[str, Any]:
        return self.caller.create("/wallets", {"network": network})

    def transfer(self, wallet: dict[str, Any], **body: Any) -> dict[str, Any]:
        """A transfer that has reached its last status."""
        return self.finished(wallet, "transfers", {"kind": "Native", "amount": "1", **body})

    def finished(self, wallet: dict[str, Any], noun: str, body: dict[str, Any]) -> dict[str, Any]:
        """A transfer or transaction that has reached its last status."""
        path = f"/wallets/{wallet['id']}/{noun}"
        identifier = self.caller.create(path, body)["id"]
        self.emulator.progress.finish(identifier)
        return answered(self.caller.get(f"{path}/{identifier}"))

    def balances(self, wallet: dict[str, Any]) -> dict[str, int]:
        """By kind."""
        assets = self.read(wallet, "assets")["assets"]
        return {asset["kind"]: int(asset["balance"]) for asset in assets}

    def history(self, wallet: dict[str, Any], query: str = "") -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = self.read(wallet, f"history{query}")["items"]
        return items

    def read(self, wallet: dict[str, Any], what: str) -> dict[str, Any]:
        return answered(self.caller.get(f"/wallets/{wallet['id']}/{what}"))
