from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from dfns_signers.emulator import Emulator
from dfns_signers.emulator.access.required_permissions import permission_names, required_permission
from dfns_signers.errors import ConfigurationError
from dfns_signers.operations import operations
from tests.emulator.caller import Caller, answered, refused
from tests.emulator.keys import pem, private_key
from tests.emulator.policy_bodies import approval_by, policy

PERMISSIONS = "/permissions"
WALLET = {"network": "Base"}
READER = {"name": "readers", "operations": ["Wallets:Read"]}
KEY = private_key("p256", 5)


@contextmanager
def identity(emulator: Emulator, *permissions: str, **options: Any) -> Iterator[Caller]:
    """A caller that may do nothing but this."""
    added = emulator.add_identity(
        "limited", credentials={"cr-limited": pem(KEY)}, permissions=permissions, **options
    )
    with Caller(emulator.url, added.token, "cr-limited", KEY) as caller:
        yield caller


@pytest.fixture
def account(caller: Caller) -> Iterator[Caller]:
    """A new service account without permissions, as a caller."""
    body = {"name": "robot", "publicKey": pem(KEY)}
    (token,) = caller.create("/auth/service-accounts", body)["accessTokens"]
    with Caller(caller.url, token["accessToken"], token["credId"], KEY) as robot:
        yield robot


def user_id(caller: Caller, robot: Caller) -> str:
    """The user of a service account that is called as ``robot``."""
    accounts = answered(caller.get("/auth/service-accounts"))["items"]
    (found,) = [one for one in accounts if one["accessTokens"][0]["credId"] == robot.credential_id]
    identifier: str = found["userInfo"]["userId"]
    return identifier


def test_first_user_has_the_managed_permission_for_everything(
    caller: Caller, emulator: Emulator
) -> None:
    (managed,) = answered(caller.get(PERMISSIONS))["items"]
    path = f"{PERMISSIONS}/{managed['id']}"

    assert managed["name"] == "ManagedFullAdminAccess"
    assert managed["isImmutable"]
    assert set(managed["operations"]) == set(permission_names())
    (assignment,) = answered(caller.get(f"{path}/assignments"))["items"]
    assert assignment["identityId"] == emulator.user_id
    for method, target, body in (
        ("PUT", path, {"name": "mine"}),
        ("PUT", f"{path}/archive", {"isArchived": True}),
        ("DELETE", path, None),
        ("DELETE", f"{path}/assignments/{assignment['id']}", None),
    ):
        refused(caller.call(method, target, body), 403, "permission.immutable", "managed")


def test_permission_is_made_listed_changed_archived_and_deleted(caller: Caller) -> None:
    made = caller.create(PERMISSIONS, READER)
    path = f"{PERMISSIONS}/{made['id']}"
    assert answered(caller.get(path)) == made
    assert answered(caller.get(PERMISSIONS))["items"][1:] == [made]

    assert answered(caller.call("PUT", path, {"name": "new"}))["name"] == "new"
    assert answered(caller.call("PUT", f"{path}/archive", {"isArchived": True}))["isArchived"]
    assert answered(caller.get(path))["name"] == "new"

    answered(caller.call("DELETE", path))
    refused(caller.get(path), 404, "entity")


@pytest.mark.parametrize(
    ("body", "check", "field"),
    [
        ({"name": "x"}, "field.missing", "operations"),
        ({"name": "x", "operations": [1]}, "field.value", "operations[0]"),
        ({"name": "", "operations": []}, "field.value", "name"),
    ],
)
def test_wrong_member_is_refused_by_name(
    caller: Caller, body: dict[str, Any], check: str, field: str
) -> None:
    assert refused(caller.call("POST", PERMISSIONS, body), 400, check)["details"]["field"] == field


def test_misspelt_operation_is_refused_with_what_was_meant(caller: Caller) -> None:
    body = {"name": "x", "operations": ["Wallets:Creat"]}

    refused(caller.call("POST", PERMISSIONS, body), 400, "field.value", "'Wallets:Create'?")


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PUT", "/permissions/pm-1", {"name": "new"}),
        ("PUT", "/permissions/pm-1/archive", {"isArchived": True}),
        ("DELETE", "/permissions/pm-1", None),
        ("POST", "/permissions/pm-1/assignments", {"identityId": "us-1"}),
        ("DELETE", "/permissions/pm-1/assignments/as-1", None),
    ],
)
def test_change_of_an_unknown_permission_is_not_found(
    caller: Caller, method: str, path: str, body: dict[str, Any] | None
) -> None:
    refused(caller.call(method, path, body), 404, "entity")


@pytest.mark.parametrize("path", ["/permissions/pm-1", "/permissions/pm-1/assignments"])
def test_unknown_permission_is_not_found(caller: Caller, path: str) -> None:
    refused(caller.get(path), 404, "entity")


def test_call_without_the_permission_is_refused_and_says_which(account: Caller) -> None:
    error = refused(account.get("/wallets"), 403, "permission.missing", "(Wallets:Read)")

    assert error["message"].startswith("ServiceAccount us-")
    assert error["details"]["permission"] == "Wallets:Read"


def test_call_without_the_permission_changes_nothing(caller: Caller, account: Caller) -> None:
    refused(account.call("POST", "/wallets", WALLET), 403, "permission.missing")

    assert answered(caller.get("/wallets")) == {"items": []}


def test_permission_permits_from_its_assignment_to_its_revocation(
    caller: Caller, account: Caller
) -> None:
    permission = caller.create(PERMISSIONS, READER)
    path = f"{PERMISSIONS}/{permission['id']}/assignments"

    assignment = caller.create(path, {"identityId": user_id(caller, account)})
    assert answered(caller.get(path)) == {"items": [assignment]}
    answered(account.get("/wallets"))
    refused(account.call("POST", "/wallets", WALLET), 403, "permission.missing")

    assert caller.call("DELETE", f"{path}/{assignment['id']}").json() is None
    refused(account.get("/wallets"), 403, "permission.missing")


@pytest.mark.parametrize(
    ("method", "suffix", "body"),
    [
        ("PUT", "", {"operations": []}),
        ("PUT", "/archive", {"isArchived": True}),
        ("DELETE", "", None),
    ],
)
def test_permission_that_was_taken_away_permits_nothing(
    caller: Caller, account: Caller, method: str, suffix: str, body: dict[str, Any] | None
) -> None:
    path = f"{PERMISSIONS}/{caller.create(PERMISSIONS, READER)['id']}"
    caller.create(f"{path}/assignments", {"identityId": user_id(caller, account)})

    answered(caller.call(method, path + suffix, body))

    refused(account.get("/wallets"), 403, "permission.missing")


def test_assignment_to_nobody_is_not_found(caller: Caller) -> None:
    path = f"{PERMISSIONS}/{caller.create(PERMISSIONS, READER)['id']}/assignments"

    refused(caller.call("POST", path, {"identityId": "us-1"}), 404, "entity", "us-1")


def test_assignments_of_a_deleted_account_are_forgotten(caller: Caller, account: Caller) -> None:
    path = f"{PERMISSIONS}/{caller.create(PERMISSIONS, READER)['id']}/assignments"
    identifier = user_id(caller, account)
    caller.create(path, {"identityId": identifier})

    answered(caller.call("DELETE", f"/auth/service-accounts/{identifier}"))

    assert answered(caller.get(path)) == {"items": []}


@pytest.mark.parametrize("permitted", [True, False])
def test_personal_token_may_no_more_than_its_user(emulator: Emulator, permitted: bool) -> None:
    own = ["Wallets:Read"] if permitted else []
    with identity(emulator, "Auth:Pats:Create", "Permissions:Create", *own) as user:
        permission = user.create(PERMISSIONS, READER)
        body = {"name": "ci", "publicKey": pem(KEY), "permissionId": permission["id"]}
        token = user.create("/auth/pats", body)
        with Caller(emulator.url, token["accessToken"], token["credId"], KEY) as machine:
            response = machine.get("/wallets")

    if permitted:
        answered(response)
    else:
        refused(response, 403, "permission.missing", "to its user us-")


def test_personal_token_without_a_permission_may_nothing(caller: Caller) -> None:
    token = caller.create("/auth/pats", {"name": "ci", "publicKey": pem(KEY)})
    with Caller(caller.url, token["accessToken"], token["credId"], KEY) as machine:
        refused(machine.get("/wallets"), 403, "permission.missing", f"Pat {token['tokenId']}")


def test_identity_may_what_was_given_to_it(emulator: Emulator) -> None:
    with identity(emulator, "Wallets:Read") as limited:
        answered(limited.get("/wallets"))
        refused(limited.get("/keys"), 403, "permission.missing")


def test_identity_with_a_misspelt_permission_is_refused_and_not_added(
    emulator: Emulator, caller: Caller
) -> None:
    with pytest.raises(ConfigurationError, match="did you mean 'Wallets:Read'"):
        emulator.add_identity("limited", permissions=["Wallet:Read"])

    assert len(answered(caller.get("/auth/users"))["items"]) == 1


def test_emulator_that_does_not_enforce_permissions_lets_everybody_do_everything() -> None:
    with (
        Emulator(enforce_permissions=False) as emulator,
        identity(emulator) as limited,
    ):
        limited.create("/wallets", WALLET)


@pytest.mark.parametrize(
    ("method", "suffix", "body"),
    [
        ("PUT", "", {"name": "new"}),
        ("PUT", "/archive", {"isArchived": True}),
    ],
)
def test_change_of_a_permission_under_approval_is_made_by_the_decision(
    caller: Caller, emulator: Emulator, method: str, suffix: str, body: dict[str, Any]
) -> None:
    made = caller.create(PERMISSIONS, READER)
    caller.create("/v2/policies", policy("Permissions:Modify"))
    path = f"{PERMISSIONS}/{made['id']}"

    change = answered(caller.call(method, path + suffix, body), status=202)

    assert (change["kind"], change["entityId"]) == ("Permission", made["id"])
    assert body.items() <= change["body"].items()
    assert answered(caller.get(path)) == {**made, "pendingChangeRequest": change}
    emulator.approvals.decide(change["approvalId"], "Approved")
    assert body.items() <= answered(caller.get(path)).items()


def test_deletion_of_a_permission_under_approval_is_made_by_the_decision(
    caller: Caller, emulator: Emulator
) -> None:
    path = f"{PERMISSIONS}/{caller.create(PERMISSIONS, READER)['id']}"
    caller.create("/v2/policies", policy("Permissions:Modify"))

    change = answered(caller.call("DELETE", path), status=202)

    assert change["body"]["isArchived"]
    emulator.approvals.decide(change["approvalId"], "Approved")
    refused(caller.get(path), 404, "entity")


def test_assignment_under_approval_is_made_by_the_decision(
    caller: Caller, emulator: Emulator, account: Caller
) -> None:
    path = f"{PERMISSIONS}/{caller.create(PERMISSIONS, READER)['id']}/assignments"
    caller.create("/v2/policies", policy("Permissions:Assign"))

    change = answered(caller.call("POST", path, {"identityId": user_id(caller, account)}), 202)

    assert (change["kind"], change["operationKind"]) == ("Assignment", "Create")
    refused(account.get("/wallets"), 403, "permission.missing")
    emulator.approvals.decide(change["approvalId"], "Approved")
    answered(account.get("/wallets"))
    (assignment,) = answered(caller.get(path))["items"]
    assert assignment["id"] == change["entityId"]


def test_revocation_under_approval_is_made_by_the_decision(
    caller: Caller, emulator: Emulator, account: Caller
) -> None:
    path = f"{PERMISSIONS}/{caller.create(PERMISSIONS, READER)['id']}/assignments"
    assignment = caller.create(path, {"identityId": user_id(caller, account)})
    caller.create("/v2/policies", policy("Permissions:Assign"))

    change = answered(caller.call("DELETE", f"{path}/{assignment['id']}"), 202)

    assert change["operationKind"] == "Delete"
    assert answered(caller.get(path))["items"] == [{**assignment, "pendingChangeRequest": change}]
    emulator.approvals.decide(change["approvalId"], "Approved")
    refused(account.get("/wallets"), 403, "permission.missing")


def test_change_of_what_was_deleted_in_the_meantime_fails(
    caller: Caller, emulator: Emulator
) -> None:
    path = f"{PERMISSIONS}/{caller.create(PERMISSIONS, READER)['id']}"
    caller.create("/v2/policies", policy("Permissions:Modify", action=approval_by({})))
    first = answered(caller.call("DELETE", path), 202)
    second = answered(caller.call("PUT", path, {"name": "new"}), 202)
    emulator.approvals.decide(first["approvalId"], "Approved")

    emulator.approvals.decide(second["approvalId"], "Approved")

    approval = answered(caller.get(f"/v2/policy-approvals/{second['approvalId']}"))
    assert approval["activity"]["changeRequest"]["status"] == "Failed"


def test_policy_on_other_permissions_or_activities_does_not_matter(caller: Caller) -> None:
    made = caller.create(PERMISSIONS, READER)
    other = {"permissionId": {"in": ["pm-1"]}}
    caller.create("/v2/policies", policy("Permissions:Modify", filters=other))
    caller.create("/v2/policies", policy("Permissions:Assign"))

    answered(caller.call("PUT", f"{PERMISSIONS}/{made['id']}", {"name": "new"}))


@pytest.mark.parametrize("archived", [True, False])
def test_policy_is_in_force_until_it_is_archived(caller: Caller, archived: bool) -> None:
    made = caller.create(PERMISSIONS, READER)
    rule = caller.create("/v2/policies", policy("Permissions:Modify"))
    if archived:
        answered(caller.call("DELETE", f"/v2/policies/{rule['id']}"))

    response = caller.call("PUT", f"/permissions/{made['id']}", {"name": "new"})

    assert response.status_code == (200 if archived else 202)


def test_change_that_a_policy_blocks_is_refused(caller: Caller) -> None:
    made = caller.create(PERMISSIONS, READER)
    rule = caller.create("/v2/policies", policy("Permissions:Modify", action={"kind": "Block"}))
    path = f"{PERMISSIONS}/{made['id']}"

    refused(caller.call("PUT", path, {"name": "new"}), 403, "policy.blocked", rule["id"])

    assert answered(caller.get(path)) == made


def test_every_required_permission_is_declared_and_of_a_known_operation() -> None:
    required = {required_permission(operation) for operation in operations()} - {None}

    assert required <= set(permission_names())
    assert {"Wallets:Create", "Keys:Signatures:Create", "Policies:Approvals:Approve"} <= required


@pytest.mark.parametrize(
    ("method", "path", "permission"),
    [
        ("POST", "/wallets/import", "Keys:Import"),
        ("POST", "/wallets/{}/export", "Keys:Export"),
        ("POST", "/wallets/{}/delegate", "Keys:Delegate"),
        ("POST", "/wallets/{}/transfers/xfr-1/cancel", "Wallets:Transfers:Create"),
        ("POST", "/wallets/{}/transactions/tx-1/speed-up", "Wallets:Transactions:Create"),
    ],
)
def test_wallet_is_no_way_around_the_permission_for_its_key(
    emulator: Emulator, caller: Caller, method: str, path: str, permission: str
) -> None:
    wallet = caller.create("/wallets", WALLET)

    with identity(emulator, "Wallets:Read", "Wallets:Update") as limited:
        response = limited.call(method, path.format(wallet["id"]), {})

    error = refused(response, 403, "permission.missing")
    assert error["details"]["permission"] == permission
