from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, rsa, x25519
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from dfns_signers.emulator.access.permissions import FULL_ACCESS
from tests.emulator.caller import Caller, answered, refused
from tests.emulator.conftest import Clock
from tests.emulator.keys import KINDS, pem, private_key

PATH = "/auth/service-accounts"
SPKI = PublicFormat.SubjectPublicKeyInfo


@pytest.fixture
def body(caller: Caller) -> dict[str, Any]:
    return {"name": "robot", "publicKey": pem(private_key("p256")), "permissionId": FULL_ACCESS}


@pytest.fixture
def account(caller: Caller, body: dict[str, Any]) -> dict[str, Any]:
    """A new service account, as its creation answered it."""
    return caller.create(PATH, body)


@pytest.fixture
def robot(caller: Caller, account: dict[str, Any]) -> Iterator[Caller]:
    """The service account as a caller."""
    token = account["accessTokens"][0]
    key = private_key("p256")
    with Caller(caller.url, token["accessToken"], token["credId"], key) as calling:
        yield calling


def test_created_account_has_the_documented_members(
    account: dict[str, Any], body: dict[str, Any]
) -> None:
    user, (token,) = account["userInfo"], account["accessTokens"]

    assert user["userId"].startswith("us-")
    assert user["kind"] == "CustomerEmployee"
    assert user["isServiceAccount"] is True
    assert user["isActive"] is True
    assert user["name"] == "robot"
    assert token["kind"] == "ServiceAccount"
    assert token["linkedUserId"] == user["userId"]
    assert token["orgId"] == user["orgId"]
    assert token["publicKey"] == body["publicKey"]
    assert token["permissionAssignments"] == user["permissionAssignments"]


def test_created_account_signs_with_its_own_credential(robot: Caller) -> None:
    assert robot.create("/wallets", {"network": "Base"})["network"] == "Base"


@pytest.mark.parametrize("kind", KINDS)
def test_every_accepted_kind_of_key_signs(caller: Caller, kind: str) -> None:
    key = private_key(kind)
    body = {"name": "robot", "publicKey": pem(key), "permissionId": FULL_ACCESS}
    (token,) = caller.create(PATH, body)["accessTokens"]

    with Caller(caller.url, token["accessToken"], token["credId"], key) as robot:
        robot.create("/wallets", {"network": "Base"})


def test_pkcs1_rsa_key_is_accepted(caller: Caller) -> None:
    key = private_key("rsa").public_key()
    encoded = key.public_bytes(Encoding.PEM, PublicFormat.PKCS1).decode()
    assert encoded.startswith("-----BEGIN RSA PUBLIC KEY-----")

    caller.create(PATH, {"name": "robot", "publicKey": encoded})


def test_key_with_one_newline_at_the_end_is_accepted(caller: Caller, body: dict[str, Any]) -> None:
    caller.create(PATH, {**body, "publicKey": body["publicKey"] + "\n"})


def refuse_key(caller: Caller, public_key: str, words: str) -> None:
    response = caller.call("POST", PATH, {"name": "robot", "publicKey": public_key})

    error = refused(response, 400, "publicKey", words)
    assert error["details"]["field"] == "publicKey"
    assert answered(caller.get(PATH)) == {"items": []}


@pytest.mark.parametrize(
    "spoil",
    [
        lambda text: text + "\n\n",
        lambda text: "key: " + text,
        lambda text: text.replace("PUBLIC KEY", "EC PUBLIC KEY"),
        lambda text: text.replace("PUBLIC KEY", "CERTIFICATE"),
        lambda text: text.replace("BEGIN", "BEGIN\u00a0"),
        lambda text: text.split("\n")[1],
        lambda text: text.replace("\n", "\n\t"),
    ],
    ids=["two-newlines", "leading", "ec", "certificate", "space", "no-lines", "tab"],
)
def test_key_that_is_not_pem_as_documented_is_refused(
    caller: Caller, body: dict[str, Any], spoil: Any
) -> None:
    refuse_key(caller, spoil(body["publicKey"]), "not a PEM public key")


def test_key_that_is_pem_of_nothing_is_refused(caller: Caller) -> None:
    refuse_key(
        caller,
        "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----",
        "is not a public key",
    )


@pytest.mark.parametrize(
    ("generate", "words"),
    [
        (lambda: ec.generate_private_key(ec.SECP224R1()), "secp224r1"),
        (lambda: ec.generate_private_key(ec.BrainpoolP256R1()), "brainpoolP256r1"),
        (ed448.Ed448PrivateKey.generate, "Ed448"),
        (x25519.X25519PrivateKey.generate, "X25519"),
        (lambda: rsa.generate_private_key(65_537, 1024), "1024 bits"),
        (lambda: dsa.generate_private_key(1024), "DSA"),
    ],
    ids=["p224", "brainpool", "ed448", "x25519", "rsa-1024", "dsa"],
)
def test_key_of_another_kind_is_refused_and_named(
    caller: Caller, generate: Any, words: str
) -> None:
    encoded = generate().public_key().public_bytes(Encoding.PEM, SPKI).decode().rstrip("\n")

    refuse_key(caller, encoded, words)


def test_key_that_is_not_a_string_is_refused(caller: Caller) -> None:
    response = caller.call("POST", PATH, {"name": "robot", "publicKey": 1})

    assert refused(response, 400, "field.value")["details"]["field"] == "publicKey"


@pytest.mark.parametrize(
    ("change", "check", "field"),
    [
        ({"name": ""}, "field.value", "name"),
        ({"daysValid": 0}, "field.value", "daysValid"),
        ({"daysValid": 731}, "field.value", "daysValid"),
        ({"daysValid": 1.5}, "field.value", "daysValid"),
        ({"daysValid": True}, "field.value", "daysValid"),
        ({"daysValid": "1"}, "field.value", "daysValid"),
        ({"secondsValid": 1}, "field.unknown", "secondsValid"),
    ],
)
def test_wrong_member_is_refused_by_name(
    caller: Caller, body: dict[str, Any], change: dict[str, Any], check: str, field: str
) -> None:
    response = caller.call("POST", PATH, {**body, **change})

    assert refused(response, 400, check)["details"]["field"] == field


@pytest.mark.parametrize("name", ["name", "publicKey"])
def test_missing_member_is_refused(caller: Caller, body: dict[str, Any], name: str) -> None:
    del body[name]

    error = refused(caller.call("POST", PATH, body), 400, "field.missing")
    assert error["details"]["field"] == name


def test_permission_is_assigned(caller: Caller, body: dict[str, Any]) -> None:
    permission = caller.create("/permissions", {"name": "p", "operations": ["Wallets:Create"]})

    account = caller.create(PATH, {**body, "permissionId": permission["id"]})

    (assignment,) = account["accessTokens"][0]["permissionAssignments"]
    assert assignment["permissionId"] == permission["id"]
    assert assignment["permissionName"] == "p"
    assert account["userInfo"]["permissionAssignments"] == [assignment]


def test_unknown_permission_is_refused_and_nothing_is_made(
    caller: Caller, body: dict[str, Any]
) -> None:
    response = caller.call("POST", PATH, {**body, "permissionId": "pm-1"})

    refused(response, 404, "entity", "pm-1")
    assert answered(caller.get(PATH)) == {"items": []}


def test_token_is_shown_only_by_the_creation(caller: Caller, account: dict[str, Any]) -> None:
    path = f"{PATH}/{account['userInfo']['userId']}"
    token = account["accessTokens"][0]["accessToken"]

    for response in (caller.get(path), caller.get(PATH), caller.call("PUT", path, {"name": "n"})):
        assert response.status_code == 200
        assert token not in response.text
        assert 'accessToken"' not in response.text


def test_account_is_listed_and_found(caller: Caller, account: dict[str, Any]) -> None:
    found = answered(caller.get(f"{PATH}/{account['userInfo']['userId']}"))

    assert found["userInfo"] == account["userInfo"]
    assert answered(caller.get(PATH)) == {"items": [found]}


def test_account_is_renamed(caller: Caller, account: dict[str, Any]) -> None:
    path = f"{PATH}/{account['userInfo']['userId']}"

    answered(caller.call("PUT", path, {"name": "new", "externalId": "e-1"}))

    assert answered(caller.get(path))["userInfo"]["name"] == "new"


def test_user_is_not_a_service_account(caller: Caller, emulator: Any) -> None:
    refused(caller.get(f"{PATH}/{emulator.user_id}"), 404, "entity")


def test_deactivated_account_is_refused_until_it_is_activated(
    caller: Caller, account: dict[str, Any], robot: Caller
) -> None:
    path = f"{PATH}/{account['userInfo']['userId']}"

    answered(caller.call("PUT", f"{path}/deactivate", {"force": True}))
    refused(robot.get("/wallets"), 401, "token.user")

    answered(caller.call("PUT", f"{path}/activate"))
    answered(robot.get("/wallets"))


@pytest.mark.parametrize("query", ["", "?force=true", "?force=True", "?force=false"])
def test_deleted_account_is_refused_and_not_found(
    caller: Caller, account: dict[str, Any], robot: Caller, query: str
) -> None:
    path = f"{PATH}/{account['userInfo']['userId']}"

    answered(caller.call("DELETE", path, query=query))

    refused(robot.get("/wallets"), 401, "token.unknown")
    refused(caller.get(path), 404, "entity")


def test_deletion_forgets_the_credential(
    caller: Caller, account: dict[str, Any], robot: Caller
) -> None:
    answered(caller.call("DELETE", f"{PATH}/{account['userInfo']['userId']}"))
    challenge = caller.challenge()

    response = caller.complete(challenge, robot.factor(challenge))

    refused(response, 401, "credential.unknown")


def test_force_that_is_not_a_boolean_is_refused(caller: Caller, account: dict[str, Any]) -> None:
    path = f"{PATH}/{account['userInfo']['userId']}"

    response = caller.call("DELETE", path, query="?force=yes")

    assert refused(response, 400, "field.value")["details"]["field"] == "query.force"


def test_account_without_a_permission_has_none(caller: Caller, body: dict[str, Any]) -> None:
    del body["permissionId"]

    account = caller.create(PATH, body)

    assert account["userInfo"]["permissionAssignments"] == []


def test_account_of_a_federated_identity_is_made(caller: Caller, body: dict[str, Any]) -> None:
    federated = {"federatedIdentity": {"issuer": "https://id.example.com", "subject": "ci"}}

    assert caller.create(PATH, {**body, **federated})["userInfo"]["isServiceAccount"]


def test_account_expires_after_its_days(caller: Caller, body: dict[str, Any], clock: Clock) -> None:
    (token,) = caller.create(PATH, {**body, "daysValid": 2})["accessTokens"]
    claims = token["accessToken"].split(".")[1]
    decoded = json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))
    assert decoded["exp"] == int(clock.now) + 172_800
    caller.token = token["accessToken"]

    clock.now += 172_799
    answered(caller.get("/wallets"))

    clock.now += 1
    refused(caller.get("/wallets"), 401, "token.expired")
