from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from dfns_signers.emulator import Emulator
from dfns_signers.emulator.access.permissions import FULL_ACCESS
from tests.emulator.caller import Caller, answered, refused
from tests.emulator.keys import pem, private_key

PATH = "/auth/pats"


@pytest.fixture
def body(caller: Caller) -> dict[str, Any]:
    return {"name": "ci", "publicKey": pem(private_key("p256")), "permissionId": FULL_ACCESS}


@pytest.fixture
def created(caller: Caller, body: dict[str, Any]) -> dict[str, Any]:
    """A new personal access token, as its creation answered it."""
    return caller.create(PATH, body)


@pytest.fixture
def machine(caller: Caller, created: dict[str, Any]) -> Iterator[Caller]:
    """The personal access token as a caller."""
    key = private_key("p256")
    with Caller(caller.url, created["accessToken"], created["credId"], key) as calling:
        yield calling


def test_created_token_has_the_documented_members(
    emulator: Emulator, created: dict[str, Any], body: dict[str, Any]
) -> None:
    assert created["kind"] == "Pat"
    assert created["name"] == "ci"
    assert created["linkedUserId"] == emulator.user_id
    assert created["orgId"] == emulator.org_id
    assert created["isActive"] is True
    assert created["publicKey"] == body["publicKey"]
    assert created["tokenId"].startswith("to-")


def test_created_token_signs_with_its_own_credential(machine: Caller) -> None:
    machine.create("/wallets", {"network": "Base"})


def test_token_does_not_sign_with_the_credential_of_its_user(
    caller: Caller, machine: Caller
) -> None:
    challenge = machine.challenge()

    response = machine.complete(challenge, caller.factor(challenge))

    refused(response, 401, "credential.foreign")


def test_user_does_not_sign_with_the_credential_of_the_token(
    caller: Caller, machine: Caller
) -> None:
    challenge = caller.challenge()

    refused(caller.complete(challenge, machine.factor(challenge)), 401, "credential.foreign")


def test_personal_token_cannot_make_a_token(machine: Caller, body: dict[str, Any]) -> None:
    error = refused(
        machine.call("POST", PATH, body),
        403,
        "token.session",
        "requires the login session of a user, whatever",
    )
    assert error["details"]["found"] == "Pat"


def test_service_account_cannot_make_a_token(emulator: Emulator, body: dict[str, Any]) -> None:
    key = private_key("secp256k1")
    robot = emulator.add_identity("robot", service_account=True, credentials={"cr-r": pem(key)})
    with Caller(emulator.url, robot.token, "cr-r", key) as calling:
        error = refused(calling.call("POST", PATH, body), 403, "token.session")

    assert error["details"]["found"] == "ServiceAccount"


def test_token_is_made_by_another_user(stranger: Caller, body: dict[str, Any]) -> None:
    assert stranger.create(PATH, body)["kind"] == "Pat"


def test_text_of_the_token_is_shown_only_by_the_creation(
    caller: Caller, created: dict[str, Any]
) -> None:
    for response in (caller.get(f"{PATH}/{created['tokenId']}"), caller.get(PATH)):
        assert response.status_code == 200
        assert created["accessToken"] not in response.text
        assert created["tokenId"] in response.text


def test_tokens_of_other_users_are_not_found(stranger: Caller, created: dict[str, Any]) -> None:
    refused(stranger.get(f"{PATH}/{created['tokenId']}"), 404, "entity")
    assert answered(stranger.get(PATH)) == {"items": []}


def test_token_is_found_among_others(caller: Caller, created: dict[str, Any]) -> None:
    body = {"name": "cd", "publicKey": pem(private_key("secp256k1"))}
    other = caller.create(PATH, body)

    assert answered(caller.get(f"{PATH}/{other['tokenId']}"))["name"] == "cd"
    listed = answered(caller.get(PATH))["items"]
    assert [token["tokenId"] for token in listed] == [created["tokenId"], other["tokenId"]]


def test_token_is_renamed(caller: Caller, created: dict[str, Any]) -> None:
    path = f"{PATH}/{created['tokenId']}"

    answered(caller.call("PUT", path, {"name": "new", "externalId": "e-1"}))

    assert answered(caller.get(path))["name"] == "new"


def test_deactivated_token_is_refused_until_it_is_activated(
    caller: Caller, created: dict[str, Any], machine: Caller
) -> None:
    path = f"{PATH}/{created['tokenId']}"

    answered(caller.call("PUT", f"{path}/deactivate"))
    refused(machine.get("/wallets"), 401, "token.deactivated", created["tokenId"])

    answered(caller.call("PUT", f"{path}/activate"))
    answered(machine.get("/wallets"))


def test_deleted_token_is_refused_and_not_found(
    caller: Caller, created: dict[str, Any], machine: Caller
) -> None:
    path = f"{PATH}/{created['tokenId']}"
    factor_of = machine.factor

    answered(caller.call("DELETE", path))

    refused(machine.get("/wallets"), 401, "token.unknown")
    refused(caller.get(path), 404, "entity")
    challenge = caller.challenge()
    refused(caller.complete(challenge, factor_of(challenge)), 401, "credential.unknown")


@pytest.mark.parametrize(
    ("change", "check", "field"),
    [
        ({"secondsValid": 0}, "field.value", "secondsValid"),
        ({"secondsValid": 63_072_001}, "field.value", "secondsValid"),
        ({"daysValid": 731}, "field.value", "daysValid"),
        ({"daysValid": 1, "secondsValid": 1}, "field.exclusive", "daysValid"),
        ({"publicKey": "x"}, "publicKey", "publicKey"),
    ],
)
def test_wrong_member_is_refused_by_name(
    caller: Caller, body: dict[str, Any], change: dict[str, Any], check: str, field: str
) -> None:
    response = caller.call("POST", PATH, {**body, **change})

    assert refused(response, 400, check)["details"]["field"] == field
    assert answered(caller.get(PATH)) == {"items": []}


def test_permission_is_assigned_to_the_token(body: dict[str, Any], created: dict[str, Any]) -> None:
    (assignment,) = created["permissionAssignments"]

    assert assignment["permissionId"] == body["permissionId"]


def test_unknown_permission_is_refused_and_nothing_is_made(
    caller: Caller, body: dict[str, Any]
) -> None:
    refused(caller.call("POST", PATH, {**body, "permissionId": "pm-1"}), 404, "entity", "pm-1")

    assert answered(caller.get(PATH)) == {"items": []}
