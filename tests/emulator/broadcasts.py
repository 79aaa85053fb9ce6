"""The transfers, or the transactions, of a wallet, as tests move them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import httpx

from dfns_signers.emulator import Emulator
from tests.emulator.caller import Caller, answered

ADDRESS = "0x" + "ab" * 20
BODIES: dict[str, dict[str, Any]] = {
    "transfers": {"kind": "Native", "to": ADDRESS, "amount": "1"},
    "transactions": {"kind": "Evm", "to": ADDRESS, "value": "1"},
}


@dataclass(frozen=True)
class Requests:
    """The transfers, or the transactions, of a wallet."""

    emulator: Emulator
    caller: Caller
    path: str
    body: dict[str, Any]

    def new(self, status: str = "Pending", **members: Any) -> str:
        """The id of one that has this status."""
        identifier: str = self.caller.create(self.path, {**self.body, **members})["id"]
        for name in ("Executing", "Broadcasted", "Confirmed"):
            if self.shown(identifier)["status"] != status:
                self.emulator.progress.step(identifier)
                assert self.shown(identifier)["status"] == name
        assert self.shown(identifier)["status"] == status
        return identifier

    def read(self, identifier: str) -> dict[str, Any]:
        return answered(self.caller.get(f"{self.path}/{identifier}"))

    def shown(self, identifier: str) -> dict[str, Any]:
        """As the list shows it, which moves nothing."""
        items = answered(self.caller.get(self.path))["items"]
        (found,) = (item for item in items if item["id"] == identifier)
        assert isinstance(found, dict)
        return found

    def abort(self, identifier: str) -> httpx.Response:
        return self.caller.call("PUT", f"{self.path}/{identifier}/abort")

    def replace(self, identifier: str, how: str) -> httpx.Response:
        """``cancel`` or ``speed-up``."""
        return self.caller.call("POST", f"{self.path}/{identifier}/{how}")


def requests_of(emulator: Emulator, caller: Caller, noun: str, network: str = "Base") -> Requests:
    wallet = caller.create("/wallets", {"network": network})["id"]
    return Requests(emulator, caller, f"/wallets/{wallet}/{noun}", BODIES[noun])
