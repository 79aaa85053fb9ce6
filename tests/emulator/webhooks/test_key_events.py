"""What webhooks hear of keys, wallets and signatures, with the data as it was then."""

from __future__ import annotations

from typing import Any, TypeAlias

import pytest

from dfns_signers.emulator import Emulator
from tests.emulator.caller import Caller, answered
from tests.emulator.signatures import BLOCKING_POLICY, EDDSA, new_key

Seen: TypeAlias = list[tuple[str, dict[str, Any]]]
MESSAGE = {"kind": "Message", "message": "00"}
EXPORT = {
    "encryptionKey": "k",
    "supportedSchemes": [{"protocol": "FROST", "curve": "ed25519"}],
}


def kinds(events: Seen) -> list[str]:
    return [kind for kind, _ in events]


def test_life_of_a_key_is_published(caller: Caller, emulator: Emulator, events: Seen) -> None:
    path = f"/keys/{new_key(caller, EDDSA, delayDelegation=True)['id']}"
    caller.create(f"{path}/delegate", {"delegateTo": emulator.user_id})
    caller.create(f"{path}/export", EXPORT)
    answered(caller.call("DELETE", path))

    assert kinds(events) == ["key.created", "key.delegated", "key.exported", "key.deleted"]
    assert [data["key"]["custodial"] for _, data in events] == [True, False, False, False]
    assert [data["key"]["status"] for _, data in events][-2:] == ["Active", "Archived"]
    assert events[2][1]["key"]["exported"] is True


def test_life_of_a_wallet_is_published(caller: Caller, emulator: Emulator, events: Seen) -> None:
    body = {"network": "Canton", "delayDelegation": True}
    path = f"/wallets/{caller.create('/wallets', body)['id']}"
    answered(caller.call("PUT", f"{path}/tags", {"tags": ["a"]}))
    answered(caller.call("DELETE", f"{path}/tags", {"tags": ["a"]}))
    caller.create(f"{path}/delegate", {"userId": emulator.user_id})
    caller.create(f"{path}/export", EXPORT)
    caller.create(f"{path}/activate", {"validatorId": "v-1"})
    for _ in range(2):
        answered(caller.get(path))

    of_wallet = [(kind, data["wallet"]) for kind, data in events if "wallet" in data]
    assert [kind for kind, _ in of_wallet] == [
        "wallet.created",
        "wallet.tags.modified",
        "wallet.tags.modified",
        "wallet.delegated",
        "wallet.exported",
        "wallet.activated",
    ]
    assert [wallet["tags"] for _, wallet in of_wallet[:3]] == [[], ["a"], []]
    assert [wallet["custodial"] for _, wallet in of_wallet[2:4]] == [True, False]
    assert of_wallet[-1][1]["status"] == "Active"
    of_transaction = [kind for kind in kinds(events) if kind.startswith("wallet.transaction")]
    assert of_transaction == [
        "wallet.transaction.requested",
        "wallet.transaction.broadcasted",
        "wallet.transaction.confirmed",
    ]


def test_signature_is_published_when_it_is_asked_for_and_when_it_is_there(
    caller: Caller, events: Seen
) -> None:
    path = f"/keys/{new_key(caller, EDDSA)['id']}/signatures"
    requested = caller.create(path, MESSAGE)
    assert kinds(events)[-1] == "wallet.signature.requested"

    answered(caller.get(f"{path}/{requested['id']}"))
    answered(caller.get(f"{path}/{requested['id']}"))

    assert kinds(events)[-2:] == ["wallet.signature.requested", "wallet.signature.signed"]
    assert [data["signatureRequest"]["status"] for _, data in events[-2:]] == ["Pending", "Signed"]


@pytest.mark.parametrize("ending", ["failed", "rejected"])
def test_signature_that_never_comes_is_published(
    caller: Caller, emulator: Emulator, events: Seen, ending: str
) -> None:
    if ending == "rejected":
        caller.create("/v2/policies", BLOCKING_POLICY)
    requested = caller.create(f"/keys/{new_key(caller, EDDSA)['id']}/signatures", MESSAGE)
    if ending == "failed":
        emulator.progress.fail(requested["id"])

    assert kinds(events)[-1] == f"wallet.signature.{ending}"
