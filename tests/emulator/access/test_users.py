from __future__ import annotations

from typing import Any

import pytest

from dfns_signers.emulator import Emulator
from tests.emulator.caller import Caller, answered, refused
from tests.emulator.conftest import calling
from tests.emulator.keys import pem, private_key

USERS = "/auth/users"
NEW = {"email": "ada@example.com", "kind": "CustomerEmployee"}


@pytest.fixture
def user(caller: Caller) -> dict[str, Any]:
    return caller.create(USERS, NEW)


def test_new_user_is_not_registered_and_has_no_permissions(user: dict[str, Any]) -> None:
    assert user["username"] == user["name"] == "ada@example.com"
    assert user["userId"].startswith("us-")
    assert user["kind"] == "CustomerEmployee"
    assert user["isActive"]
    assert not user["isRegistered"]
    assert not user["isServiceAccount"]
    assert not user["isSSORequired"]
    assert user["permissionAssignments"] == []


def test_invited_user_is_a_new_user(caller: Caller) -> None:
    assert caller.create(f"{USERS}/invite", {"email": "ada@example.com"})["isRegistered"] is False


def test_users_are_listed_without_service_accounts(
    caller: Caller, emulator: Emulator, user: dict[str, Any]
) -> None:
    emulator.add_identity("robot", service_account=True)

    items = answered(caller.get(USERS))["items"]

    assert [one["userId"] for one in items] == [emulator.user_id, user["userId"]]
    assert answered(caller.get(f"{USERS}/{user['userId']}")) == user
    assert answered(caller.get(f"{USERS}?kind=EndUser")) == {"items": []}
    assert answered(caller.get(f"{USERS}?kind=CustomerEmployee"))["items"] == items


def test_pages_skip_nobody_when_users_are_deleted() -> None:
    with calling(page_size=2) as caller:
        users = [
            caller.create(USERS, {**NEW, "email": f"{number}@example.com"}) for number in range(3)
        ]
        first = answered(caller.get(USERS))
        assert first["items"][1] == users[0]
        answered(caller.call("DELETE", f"{USERS}/{users[0]['userId']}"))

        second = answered(caller.get(f"{USERS}?paginationToken={first['nextPageToken']}"))

    assert second == {"items": users[1:]}


def test_single_sign_on_is_required(caller: Caller, user: dict[str, Any]) -> None:
    path = f"{USERS}/{user['userId']}"

    assert answered(caller.call("PUT", path, {"isSSORequired": True}))["isSSORequired"]
    assert answered(caller.get(path))["isSSORequired"]


def test_deactivated_user_is_refused_until_activated(
    caller: Caller, stranger: Caller, emulator: Emulator
) -> None:
    other = answered(caller.get(USERS))["items"][1]
    path = f"{USERS}/{other['userId']}"

    assert answered(caller.call("PUT", f"{path}/deactivate"))["isActive"] is False
    refused(stranger.get("/wallets"), 401, "token.user")

    assert answered(caller.call("PUT", f"{path}/activate"))["isActive"]
    answered(stranger.get("/wallets"))


def test_deleted_user_is_not_found(caller: Caller, user: dict[str, Any]) -> None:
    path = f"{USERS}/{user['userId']}"

    assert answered(caller.call("DELETE", path)) == user

    refused(caller.get(path), 404, "entity")


def test_service_account_is_not_found_among_users(caller: Caller, emulator: Emulator) -> None:
    robot = emulator.add_identity("robot", service_account=True)

    refused(caller.get(f"{USERS}/{robot.user_id}"), 404, "entity")


def test_assigned_permission_is_shown(caller: Caller, user: dict[str, Any]) -> None:
    permission = caller.create("/permissions", {"name": "p", "operations": ["Wallets:Read"]})
    assignment = caller.create(
        f"/permissions/{permission['id']}/assignments", {"identityId": user["userId"]}
    )

    (shown,) = answered(caller.get(f"{USERS}/{user['userId']}"))["permissionAssignments"]

    assert shown["assignmentId"] == assignment["id"]
    assert shown["operations"] == ["Wallets:Read"]


@pytest.mark.parametrize(
    ("body", "check", "field"),
    [
        ({"kind": "CustomerEmployee"}, "field.missing", "email"),
        ({**NEW, "email": ""}, "field.value", "email"),
        ({**NEW, "kind": "EndUser"}, "field.value", "kind"),
        ({**NEW, "publicKey": "x"}, "publicKey", "publicKey"),
    ],
)
def test_wrong_member_is_refused_by_name(
    caller: Caller, body: dict[str, Any], check: str, field: str
) -> None:
    assert refused(caller.call("POST", USERS, body), 400, check)["details"]["field"] == field


def test_token_is_exchanged_for_one_of_the_same_organisation(caller: Caller) -> None:
    response = caller.send("POST", "/auth/tokens", b'{"target":"or-1"}')

    assert answered(response) == {"token": caller.token}


def test_service_account_adds_and_removes_a_key_of_its_own(emulator: Emulator) -> None:
    old, new = private_key("p256", 5), private_key("ed25519", 6)
    robot = emulator.add_identity("robot", service_account=True, credentials={"cr-old": pem(old)})
    path = "/auth/service-accounts/credentials"
    with Caller(emulator.url, robot.token, "cr-old", old) as caller:
        added = caller.create(path, {"publicKey": pem(new)})
        with Caller(emulator.url, robot.token, added["credentialId"], new) as renewed:
            renewed.create("/wallets", {"network": "Base"})
            answered(renewed.call("DELETE", f"{path}/{added['credentialUuid']}"))
            challenge = renewed.challenge()
            refused(
                renewed.complete(challenge, renewed.factor(challenge)), 401, "credential.unknown"
            )
