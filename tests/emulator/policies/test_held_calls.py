"""Calls that are held with ``require_approval``."""

from __future__ import annotations

import pytest

from dfns_signers.emulator import Emulator
from dfns_signers.errors import ConfigurationError
from tests.emulator.caller import Caller, answered, refused

WALLET = {"network": "Ethereum"}


def test_call_that_needs_approval_is_answered_with_a_change_request(
    emulator: Emulator, caller: Caller
) -> None:
    emulator.require_approval("POST", "/wallets")

    change = answered(caller.call("POST", "/wallets", WALLET), status=202)

    assert change["id"].startswith("cr-")
    assert change["kind"] == "Wallet"
    assert change["operationKind"] == "Create"
    assert change["status"] == "Pending"
    assert change["requester"]["userId"] == emulator.user_id
    assert change["body"] == WALLET
    assert {"entityId", "approvalId", "dateCreated"} <= set(change)


def test_call_that_needs_approval_changes_nothing(emulator: Emulator, caller: Caller) -> None:
    emulator.require_approval("POST", "/wallets")

    caller.call("POST", "/wallets", WALLET)

    assert answered(caller.get("/wallets")) == {"items": []}


def test_change_request_names_the_entity_of_the_path(emulator: Emulator, caller: Caller) -> None:
    wallet = caller.create("/wallets", WALLET)
    emulator.require_approval("PUT", "/wallets/{walletId}")

    path = f"/wallets/{wallet['id']}"
    change = answered(caller.call("PUT", path, {"name": "new"}), status=202)

    assert change["entityId"] == wallet["id"]
    assert change["operationKind"] == "Update"
    assert answered(caller.get(path)) == wallet


def test_call_that_needs_approval_is_signed_all_the_same(
    emulator: Emulator, caller: Caller
) -> None:
    emulator.require_approval("POST", "/wallets")

    refused(caller.send("POST", "/wallets", b"{}"), 403, "userAction.missing")


def test_call_that_needs_approval_spends_the_user_action(
    emulator: Emulator, caller: Caller
) -> None:
    emulator.require_approval("POST", "/wallets")
    body = b'{"network":"Ethereum"}'
    action = caller.user_action("POST", "/wallets", body.decode())
    answered(caller.send("POST", "/wallets", body, user_action=action), status=202)

    refused(caller.send("POST", "/wallets", body, user_action=action), 400, "userAction.used")


def test_call_that_needs_approval_is_checked_for_its_members(
    emulator: Emulator, caller: Caller
) -> None:
    emulator.require_approval("POST", "/wallets")

    refused(caller.call("POST", "/wallets", {}), 400, "field.missing")


def test_call_is_carried_out_once_it_is_approved(emulator: Emulator, caller: Caller) -> None:
    emulator.require_approval("POST", "/wallets")
    change = answered(caller.call("POST", "/wallets", WALLET), status=202)

    emulator.approvals.decide(change["approvalId"], "Approved")

    (wallet,) = answered(caller.get("/wallets"))["items"]
    assert wallet["network"] == "Ethereum"


def test_call_that_was_denied_is_not_carried_out(emulator: Emulator, caller: Caller) -> None:
    emulator.require_approval("POST", "/wallets")
    change = answered(caller.call("POST", "/wallets", WALLET), status=202)

    emulator.approvals.decide(change["approvalId"], "Denied")

    assert answered(caller.get("/wallets")) == {"items": []}
    assert emulator.approvals.pending == ()


def test_approval_of_a_call_that_cannot_be_carried_out_is_resolved(
    emulator: Emulator, caller: Caller
) -> None:
    key = caller.create("/keys", {"scheme": "ECDSA", "curve": "secp256k1"})
    emulator.require_approval("PUT", "/keys/{keyId}")
    change = answered(caller.call("PUT", f"/keys/{key['id']}", {"name": "n"}), status=202)
    answered(caller.call("DELETE", f"/keys/{key['id']}"))

    emulator.approvals.decide(change["approvalId"], "Approved")

    assert emulator.approvals.pending == ()


def test_approval_of_a_call_that_no_policy_is_about_is_not_in_the_api(
    emulator: Emulator, caller: Caller
) -> None:
    emulator.require_approval("POST", "/wallets")
    change = answered(caller.call("POST", "/wallets", WALLET), status=202)

    assert answered(caller.get("/v2/policy-approvals")) == {"items": []}
    refused(caller.get(f"/v2/policy-approvals/{change['approvalId']}"), 404, "entity")


def test_other_operations_need_no_approval(emulator: Emulator, caller: Caller) -> None:
    emulator.require_approval("POST", "/wallets")

    caller.create("/keys", {"scheme": "ECDSA", "curve": "secp256k1"})


@pytest.mark.parametrize(
    ("method", "template"), [("GET", "/wallets"), ("POST", "/auth/action/init")]
)
def test_approval_of_a_call_that_is_not_signed_is_refused(
    emulator: Emulator, method: str, template: str
) -> None:
    with pytest.raises(ConfigurationError, match="takes no user action"):
        emulator.require_approval(method, template)


def test_approval_of_an_operation_that_is_not_there_is_refused(emulator: Emulator) -> None:
    with pytest.raises(ConfigurationError, match="no operation POST /nothing"):
        emulator.require_approval("POST", "/nothing")
