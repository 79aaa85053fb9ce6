"""Bodies that make entities which are kept."""

from __future__ import annotations

from tests.emulator.caller import Caller, answered
from tests.emulator.flows import Json

CREDENTIALS = {"publicApiKey": "a", "privateApiKey": "b"}
ERC20 = {"kind": "Erc20", "contract": "0x1", "amount": "5"}
NATIVE = {"kind": "Native", "amount": "5"}


def exchange() -> Json:
    return {
        "kind": "Kraken",
        "name": "main",
        "readConfiguration": CREDENTIALS,
        "writeConfiguration": CREDENTIALS,
    }


def allocation(wallet: str) -> Json:
    return {
        "walletId": wallet,
        "protocol": "0fns",
        "sourceAsset": ERC20,
        "targetAsset": ERC20,
        "slippageBps": 10,
    }


def payout(wallet: str) -> Json:
    return {
        "walletId": wallet,
        "asset": ERC20,
        "fiatCurrency": "EUR",
        "provider": "Borderless",
        "country": "FR",
        "borderlessAccountId": "b-1",
        "paymentInstructionsId": "p-1",
        "paymentPurpose": "rent payment",
    }


def stake(wallet: str) -> Json:
    return {"walletId": wallet, "protocol": "Ethereum", "provider": "Figment", "amount": "32"}


def quote(wallet: str) -> Json:
    return {
        "walletId": wallet,
        "provider": "UniswapX",
        "sourceAsset": NATIVE,
        "targetAsset": {"kind": "Erc20", "contract": "0x1"},
        "slippageBps": 10,
    }


def swap(wallet: str) -> Json:
    return {**quote(wallet), "quoteId": "q-1", "targetAsset": ERC20}


def kept(wallet: str) -> dict[str, Json]:
    """Collections, and a body for each that makes an entity of it."""
    return {
        "/address-watches": {"network": "Ethereum", "address": "0x1"},
        "/allocations": allocation(wallet),
        "/auth/user-groups": {"name": "team"},
        "/exchanges": exchange(),
        "/fee-sponsors": {"walletId": wallet, "name": "gas"},
        "/networks/Canton/validators": {"kind": "Shared", "name": "node"},
        "/payins": {"walletId": wallet, "amount": "5"},
        "/payouts": payout(wallet),
        "/staking/stakes": stake(wallet),
        "/swaps": swap(wallet),
        "/tenant/orgs": {"name": "subsidiary"},
        "/tenant/user-groups": {"name": "team"},
        "/tenant/users": {"email": "a@example.com"},
        "/vaults": {"name": "safe"},
    }


def listed(caller: Caller, path: str) -> list[Json]:
    """The entities of a list."""
    items: list[Json] = answered(caller.get(path))["items"]
    return items
