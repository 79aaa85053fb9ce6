"""A request for each check in each row on transfers and transactions of emulator-refusals.md."""

from __future__ import annotations

import httpx

from tests.emulator.caller import answered
from tests.emulator.spoiled import Request, World, call


def transfer(network: str = "Base", **body: str) -> Request:
    """A native transfer from a new wallet."""

    def request(world: World) -> httpx.Response:
        wallet = world.caller.create("/wallets", {"network": network})
        path = f"/wallets/{wallet['id']}/transfers"
        return call(path, {"kind": "Native", "to": "0x" + "ab" * 20, "amount": "1", **body})(world)

    return request


def late_abort(world: World) -> httpx.Response:
    created = answered(transfer()(world))
    world.emulator.progress.finish(created["id"])
    path = f"/wallets/{created['walletId']}/transfers/{created['id']}/abort"
    return world.caller.call("PUT", path)


def second_replacement(world: World) -> httpx.Response:
    created = answered(transfer()(world))
    for _ in ("Executing", "Broadcasted"):
        world.emulator.progress.step(created["id"])
    path = f"/wallets/{created['walletId']}/transfers/{created['id']}"
    answered(world.caller.call("POST", f"{path}/cancel"))
    return world.caller.call("POST", f"{path}/speed-up")


TRANSFERS = [
    ("field.value", transfer(amount="1.5")),
    ("field.value", transfer(to="nobody")),
    ("network", transfer("KeyECDSA")),
    ("status", late_abort),
    ("status", second_replacement),
]
