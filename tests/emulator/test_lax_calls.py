"""What the emulator takes, leaves or allows where the service may not: calls, users, policies."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from dfns_signers.emulator import Emulator
from tests.emulator.caller import Caller, answered, compact, refused
from tests.emulator.conftest import Clock, calling
from tests.emulator.end_users import Application
from tests.emulator.keys import pem, private_key
from tests.emulator.policy_bodies import ALWAYS, approval_by, policy

WALLET = compact({"network": "Base"})
KEY = private_key("p256", 5)


@pytest.fixture(scope="module")
def shared() -> Iterator[Caller]:
    with calling() as caller:
        yield caller


# Calls


@pytest.mark.parametrize(
    ("method", "path", "body", "token", "status"),
    [
        ("POST", "/nothing", WALLET, None, 404),
        ("PATCH", "/wallets", WALLET, None, 405),
        ("POST", "/wallets", WALLET, "unknown", 401),
        ("POST", "/wallets", b" " * 1_048_577, None, 413),
        ("POST", "/wallets", b"{", None, 400),
    ],
    ids=["path", "method", "token", "size", "json"],
)
def test_user_action_is_left_by_a_call_that_reaches_no_operation(
    shared: Caller, method: str, path: str, body: bytes, token: str | None, status: int
) -> None:
    action = shared.user_action("POST", "/wallets", WALLET.decode())
    headers = {"Authorization": f"Bearer {token}"} if token else None

    response = shared.send(method, path, body, user_action=action, headers=headers)

    assert response.status_code == status
    answered(shared.send("POST", "/wallets", WALLET, user_action=action))


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/wallets", {"network": "Base", "note": "x"}, 400),
        ("/wallets", {"network": "Base", "signingKey": {"id": "key-1"}}, 404),
        ("/wallets/wa-1/transactions", {"kind": "Evm"}, 404),
    ],
    ids=["member", "entity-of-the-body", "entity-of-the-path"],
)
def test_user_action_is_used_up_by_a_call_that_its_operation_refuses(
    shared: Caller, path: str, body: dict[str, Any], status: int
) -> None:
    payload = compact(body)
    action = shared.user_action("POST", path, payload.decode())

    first = shared.send("POST", path, payload, user_action=action)

    assert first.status_code == status
    refused(shared.send("POST", path, payload, user_action=action), 400, "userAction.used")


@pytest.mark.parametrize("path", ["/auth/service-accounts", "/auth/pats"])
def test_accounts_and_tokens_may_share_an_external_id_and_a_public_key(
    shared: Caller, path: str
) -> None:
    body = {"name": "robot", "publicKey": pem(KEY), "externalId": "e-1"}
    before = len(answered(shared.get(path))["items"])

    for _ in range(2):
        shared.create(path, body)

    assert len(answered(shared.get(path))["items"]) == before + 2


def test_public_key_may_be_registered_twice_by_one_user(emulator: Emulator) -> None:
    first, second = (emulator.register(pem(KEY)) for _ in range(2))

    assert {first, second} < set(emulator.settings["credential_ids"])
    assert first != second


# Users


def test_code_that_was_sent_does_not_expire_and_is_replaced_by_the_next(
    emulator: Emulator, clock: Clock, application: Application
) -> None:
    def sent() -> str:
        answered(application.open("/auth/login/code", username="emulator-user"))
        return emulator.mail.code("login", "emulator-user")

    def log_in(code: str) -> Any:
        return application.open("/auth/login/init", username="emulator-user", loginCode=code)

    replaced, last = sent(), sent()
    clock.now += 10 * 86_400

    refused(log_in(replaced), 401, "code")
    answered(log_in(last))


def test_temporary_token_expires_with_its_challenge(clock: Clock, application: Application) -> None:
    challenge = application.begin()
    clock.now += 300

    refused(application.complete(challenge), 401, "token.expired")


# Permissions and policies


def test_caller_may_give_more_than_the_caller_has(emulator: Emulator) -> None:
    permissions = ["Permissions:Create", "Permissions:Assign"]
    added = emulator.add_identity("a", credentials={"cr-a": pem(KEY)}, permissions=permissions)
    with Caller(emulator.url, added.token, "cr-a", KEY) as caller:
        refused(caller.call("POST", "/wallets", {"network": "Base"}), 403, "permission.missing")
        made = caller.create("/permissions", {"name": "more", "operations": ["Wallets:Create"]})
        assigned = {"identityId": added.user_id}
        caller.create(f"/permissions/{made['id']}/assignments", assigned)

        answered(caller.call("POST", "/wallets", {"network": "Base"}))


def test_deletion_of_a_permission_requires_that_to_archive(
    emulator: Emulator, caller: Caller
) -> None:
    made = caller.create("/permissions", {"name": "one", "operations": ["Wallets:Read"]})
    added = emulator.add_identity(
        "a", credentials={"cr-a": pem(KEY)}, permissions=["Permissions:Archive"]
    )
    with Caller(emulator.url, added.token, "cr-a", KEY) as archivist:
        answered(archivist.call("DELETE", f"/permissions/{made['id']}"))


def test_entity_shows_the_last_of_the_changes_that_wait(caller: Caller) -> None:
    made = caller.create("/permissions", {"name": "one", "operations": ["Wallets:Read"]})
    path = f"/permissions/{made['id']}"
    caller.create("/v2/policies", policy("Permissions:Modify"))

    changes = [
        answered(caller.call("PUT", path, {"name": name}), status=202) for name in ("two", "three")
    ]

    shown = answered(caller.get(path))["pendingChangeRequest"]
    assert shown["id"] == changes[-1]["id"] != changes[0]["id"]


def test_creation_of_policies_and_permissions_waits_for_no_approval(caller: Caller) -> None:
    for activity in ("Policies:Modify", "Permissions:Modify", "Permissions:Assign"):
        answered(caller.call("POST", "/v2/policies", policy(activity)))

    answered(caller.call("POST", "/v2/policies", policy()))
    answered(caller.call("POST", "/permissions", {"name": "n", "operations": ["Keys:Read"]}))


def test_quorum_below_one_is_one(emulator: Emulator, caller: Caller) -> None:
    action = approval_by({"quorum": 0, "initiatorCanApprove": True})
    caller.create("/v2/policies", policy(action=action))
    wallet = caller.create("/wallets", {"network": "Base"})
    path = f"/wallets/{wallet['id']}/transactions"

    waiting = caller.create(path, {"kind": "Evm"})
    caller.create(f"/v2/policy-approvals/{waiting['approvalId']}/decisions", {"value": "Approved"})

    assert not emulator.approvals.pending
    assert answered(caller.get(f"{path}/{waiting['id']}"))["status"] == "Executing"


SCREENING = {
    "kind": "ChainalysisTransactionScreening",
    "configuration": {
        "alerts": {"alertLevel": "LOW", "categoryIds": []},
        "exposures": {"direct": {"categoryIds": []}},
        "fallbackBehaviours": {
            "skipUnscreenableTransaction": False,
            "skipUnsupportedNetwork": False,
            "skipUnsupportedAsset": False,
            "skipChainalysisFailure": False,
        },
    },
}


@pytest.mark.parametrize(
    ("activity", "rule"),
    [
        ("Wallets:IncomingTransaction", SCREENING),
        ("Registry:Addresses:Modify", ALWAYS),
        ("Registry:ContractSchemas:Modify", ALWAYS),
    ],
)
def test_policy_on_what_comes_in_or_on_the_registry_is_kept_and_judges_nothing(
    emulator: Emulator, caller: Caller, activity: str, rule: dict[str, Any]
) -> None:
    action = {"kind": "NoAction" if rule is SCREENING else "Block"}
    body = policy(activity, rule=rule, action=action)
    made = caller.create("/v2/policies", body)
    wallet = caller.create("/wallets", {"network": "Base"})

    emulator.funds.deposit(wallet["id"], 5)

    assert answered(caller.get(f"/v2/policies/{made['id']}")) == made
    (asset,) = answered(caller.get(f"/wallets/{wallet['id']}/assets"))["assets"]
    assert asset["balance"] == "5"
