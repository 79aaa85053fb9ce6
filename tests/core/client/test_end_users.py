"""Typed calls on end users: which are signed, which not, and what each sends."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from dfns_signers.client.pending import PendingAction
from dfns_signers.errors import RequestError
from tests.core.client.driving import Driven
from tests.core.client.scripted import ScriptedApi

PASSKEY = {"credentialKind": "Fido2", "credentialInfo": {"credId": "cr-1"}}
RECOVERY = {"credentialKind": "RecoveryKey", "credentialInfo": {"credId": "cr-2"}}
FACTOR = {"kind": "Fido2", "credentialAssertion": {"credId": "cr-1"}}
CHALLENGE = {"challenge": "Y2g", "challengeIdentifier": "ci-1"}

SIGNED: dict[str, tuple[Callable[[Any], Any], dict[str, Any]]] = {
    "/auth/registration/delegated": (
        lambda users: users.register(email="ada@example.com", external_id="7"),
        {"email": "ada@example.com", "kind": "EndUser", "externalId": "7"},
    ),
    "/auth/login/delegated": (
        lambda users: users.login("ada@example.com"),
        {"username": "ada@example.com"},
    ),
    "/auth/recover/user/delegated": (
        lambda users: users.recover(username="ada@example.com", credential_id="cr-2"),
        {"username": "ada@example.com", "credentialId": "cr-2"},
    ),
}
UNSIGNED: dict[str, tuple[Callable[[Any], Any], dict[str, Any]]] = {
    "/auth/registration": (
        lambda users: users.complete_registration(
            first_factor_credential=PASSKEY, recovery_credential=RECOVERY
        ),
        {"firstFactorCredential": PASSKEY, "recoveryCredential": RECOVERY},
    ),
    "/auth/registration/enduser": (
        lambda users: users.complete_registration(
            first_factor_credential=PASSKEY,
            second_factor_credential=PASSKEY,
            wallets=({"network": "Bitcoin"},),
        ),
        {
            "firstFactorCredential": PASSKEY,
            "secondFactorCredential": PASSKEY,
            "wallets": [{"network": "Bitcoin"}],
        },
    ),
    "/auth/registration/code": (
        lambda users: users.send_registration_code("ada@example.com", org_id="or-1"),
        {"username": "ada@example.com", "orgId": "or-1"},
    ),
    "/auth/registration/init": (
        lambda users: users.registration_challenge("ada@example.com", org_id="or-1", code="7"),
        {"username": "ada@example.com", "orgId": "or-1", "registrationCode": "7"},
    ),
    "/auth/login/code": (
        lambda users: users.send_login_code("ada@example.com", org_id="or-1"),
        {"username": "ada@example.com", "orgId": "or-1"},
    ),
    "/auth/login/init": (
        lambda users: users.login_challenge("ada@example.com", org_id="or-1", code="7"),
        {"username": "ada@example.com", "orgId": "or-1", "loginCode": "7"},
    ),
    "/auth/recover/user/code": (
        lambda users: users.send_recovery_code("ada@example.com", org_id="or-1"),
        {"username": "ada@example.com", "orgId": "or-1"},
    ),
    "/auth/recover/user/init": (
        lambda users: users.recovery_challenge(
            "ada@example.com", org_id="or-1", code="7", credential_id="cr-2"
        ),
        {
            "username": "ada@example.com",
            "verificationCode": "7",
            "orgId": "or-1",
            "credentialId": "cr-2",
        },
    ),
    "/auth/login": (
        lambda users: users.complete_login(
            challenge=CHALLENGE, first_factor=FACTOR, second_factor=FACTOR
        ),
        {"challengeIdentifier": "ci-1", "firstFactor": FACTOR, "secondFactor": FACTOR},
    ),
    "/auth/recover/user": (
        lambda users: users.complete_recovery(
            recovery=FACTOR, new_credentials={"recoveryCredential": RECOVERY, "first": PASSKEY}
        ),
        {
            "recovery": FACTOR,
            "newCredentials": {"recoveryCredential": RECOVERY, "first": PASSKEY},
        },
    ),
}


@pytest.mark.parametrize("path", SIGNED)
def test_call_of_a_service_account_is_signed(scripted: Driven, api: ScriptedApi, path: str) -> None:
    call, body = SIGNED[path]

    scripted.call(lambda client: call(client.auth.end_users))

    assert [seen.target for seen in api.seen] == ["/auth/action/init", "/auth/action", path]
    assert json.loads(api.seen[-1].body) == body


@pytest.mark.parametrize("path", SIGNED)
def test_call_of_a_service_account_is_pending_where_somebody_else_signs(
    scripted_delegated: Driven, path: str
) -> None:
    call, body = SIGNED[path]

    pending = scripted_delegated.call(lambda client: call(client.auth.end_users))

    assert isinstance(pending, PendingAction)
    assert (pending.path, json.loads(pending.payload)) == (path, body)


@pytest.mark.parametrize("path", UNSIGNED)
def test_call_with_the_answer_of_a_browser_is_sent_by_either_client_without_a_signature(
    scripted: Driven, scripted_delegated: Driven, api: ScriptedApi, path: str
) -> None:
    call, body = UNSIGNED[path]

    for driven in (scripted, scripted_delegated):
        driven.call(lambda client: call(client.auth.end_users))

    assert [seen.target for seen in api.seen] == [path, path]
    assert [json.loads(seen.body) for seen in api.seen] == [body, body]


def test_new_credentials_are_sent_in_the_order_in_which_they_were_signed(
    scripted: Driven, api: ScriptedApi
) -> None:
    call, body = UNSIGNED["/auth/recover/user"]

    scripted.call(lambda client: call(client.auth.end_users))

    signed = json.dumps(body["newCredentials"], separators=(",", ":"))
    assert f'"newCredentials":{signed}' in api.seen[-1].body.decode()


def test_second_passkey_is_registered_with_the_kind_of_its_challenge(
    scripted: Driven, api: ScriptedApi
) -> None:
    info = {"credId": "cr-2", "clientData": "e30", "attestationData": "o2"}

    scripted.call(lambda client: client.auth.credentials.challenge(kind="Fido2"))
    scripted.call(
        lambda client: client.auth.credentials.create(
            name="phone",
            challenge={"kind": "Fido2", "challengeIdentifier": "ci-1"},
            credential_info=info,
            extra={"encryptedPrivateKey": "x"},
        )
    )

    assert json.loads(api.seen[0].body) == {"kind": "Fido2"}
    assert json.loads(api.seen[-1].body) == {
        "credentialKind": "Fido2",
        "credentialName": "phone",
        "challengeIdentifier": "ci-1",
        "credentialInfo": info,
        "encryptedPrivateKey": "x",
    }


WRONG: dict[str, Callable[[Any], Any]] = {
    "first_factor_credential": lambda users: users.complete_registration(
        first_factor_credential="cr-1"
    ),
    "second_factor_credential": lambda users: users.complete_registration(
        first_factor_credential=PASSKEY, second_factor_credential=[]
    ),
    "recovery_credential": lambda users: users.complete_registration(
        first_factor_credential=PASSKEY, recovery_credential=5
    ),
    "wallets": lambda users: users.complete_registration(
        first_factor_credential=PASSKEY, wallets={"network": "Bitcoin"}
    ),
    "challengeIdentifier": lambda users: users.complete_login(challenge={}, first_factor=FACTOR),
    "first_factor": lambda users: users.complete_login(challenge=CHALLENGE, first_factor="x"),
    "second_factor": lambda users: users.complete_login(
        challenge=CHALLENGE, first_factor=FACTOR, second_factor=5
    ),
    "recovery": lambda users: users.complete_recovery(recovery=5, new_credentials={}),
    "new_credentials": lambda users: users.complete_recovery(recovery={}, new_credentials=[]),
}


@pytest.mark.parametrize("argument", WRONG)
def test_argument_of_the_wrong_type_is_named_and_nothing_is_sent(
    scripted: Driven, api: ScriptedApi, argument: str
) -> None:
    with pytest.raises(RequestError, match=f"'{argument}'"):
        scripted.call(lambda client: WRONG[argument](client.auth.end_users))

    assert api.seen == []
