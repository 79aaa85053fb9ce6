"""Typed calls on end users: which are signed, which not, and what each sends."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from dfns_signers.backends.pem.key import PemKey
from dfns_signers.client.pending import PendingAction
from dfns_signers.emulator import Emulator
from dfns_signers.errors import RequestError
from dfns_signers.signer import KeySigner
from tests.core.client.driving import Connector, Driven
from tests.core.client.scripted import ScriptedApi
from tests.core.keys import private_key, private_pem, public_key, public_pem
from tests.emulator.passkeys import Authenticator

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
    "/auth/login/init": (
        lambda users: users.login_challenge("ada@example.com", org_id="or-1"),
        {"username": "ada@example.com", "orgId": "or-1"},
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


def test_end_user_registers_with_a_wallet_and_signs_with_a_second_passkey(
    connect: Connector, emulator: Emulator
) -> None:
    browser, phone = Authenticator(), Authenticator()
    key = PemKey.from_pem(private_pem(private_key("ES256")))
    robot = emulator.add_identity(
        "robot", service_account=True, credentials={"cr-robot": public_pem(public_key("ES256"))}
    )
    operator = connect(robot.token, KeySigner(key, "cr-robot"), base_url=emulator.url)

    challenge = operator.call(
        lambda client: client.auth.end_users.register(email="ada@example.com")
    )
    newcomer = connect.delegated(challenge["temporaryAuthenticationToken"], base_url=emulator.url)
    user = newcomer.call(
        lambda client: client.auth.end_users.complete_registration(
            first_factor_credential={
                "credentialKind": "Fido2",
                "credentialInfo": browser.create(challenge),
            },
            wallets=[{"network": "Bitcoin"}],
        )
    )
    ada = connect.delegated(user["authentication"]["token"], base_url=emulator.url)
    asked = ada.call(lambda client: client.auth.credentials.challenge(kind="Fido2"))
    pending = ada.call(
        lambda client: client.auth.credentials.create(
            name="phone", challenge=asked, credential_info=phone.create(asked)
        )
    )
    ada.call(lambda client: client.complete(pending, browser.get(pending.challenge)))

    made = ada.call(lambda client: client.init("POST", "/wallets", json={"network": "Solana"}))
    ada.call(lambda client: client.complete(made, phone.get(made.challenge)))

    listed = ada.walk(lambda client: client.wallets.list())
    assert [wallet["network"] for wallet in listed] == ["Bitcoin", "Solana"]
    assert listed[0]["id"] == user["wallets"][0]["id"]
