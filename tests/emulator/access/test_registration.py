"""Registration of end users and of invited users."""

from __future__ import annotations

import base64
import json

import pytest

from dfns_signers.emulator import Emulator
from dfns_signers.emulator.state import State
from tests.emulator.caller import Caller, answered, b64url, refused
from tests.emulator.end_users import Application, key_credential, recovery_credential
from tests.emulator.keys import private_key
from tests.emulator.passkeys import Json

ALICE = "alice@example.com"
WALLET = {"network": "EthereumSepolia"}


def test_challenge_of_a_delegated_registration_is_what_a_browser_needs(
    application: Application,
) -> None:
    challenge = application.begin()

    assert challenge["user"]["name"] == ALICE
    assert challenge["rp"]["id"] == "localhost"
    assert {parameter["alg"] for parameter in challenge["pubKeyCredParams"]} == {-7, -8, -257}
    assert challenge["authenticatorSelection"]["userVerification"] == "required"
    assert challenge["excludeCredentials"] == []
    assert "Fido2" in challenge["supportedCredentialKinds"]["firstFactor"]


def test_registered_end_user_signs_with_the_passkey(application: Application) -> None:
    answer = application.register()

    assert answer["credential"]["kind"] == "Fido2"
    assert answer["user"]["username"] == ALICE
    token = application.log_in()
    wallet = answered(application.call(token, "POST", "/wallets", WALLET))
    assert wallet["network"] == "EthereumSepolia"


def test_end_user_registered_with_wallets_has_them_and_a_token(application: Application) -> None:
    challenge = application.begin()

    answer = answered(
        application.complete(challenge, "/enduser", wallets=[{**WALLET, "name": "savings"}])
    )

    (wallet,) = answer["wallets"]
    assert wallet["name"] == "savings"
    assert wallet["signingKey"]["delegatedTo"] == challenge["user"]["id"]
    action = application.user_action(answer["authentication"]["token"], "POST", "/wallets", WALLET)
    answered(action)


def test_credentials_of_one_registration_sign_the_same_challenge(application: Application) -> None:
    challenge = application.begin()
    key = private_key("ed25519", 61)

    answered(
        application.complete(
            challenge,
            secondFactorCredential=key_credential(challenge, "Key", "cr-second", key),
            recoveryCredential=recovery_credential(challenge),
        )
    )

    with Caller(application.account.url, application.log_in(), "cr-second", key) as user:
        kinds = [found["kind"] for found in answered(user.get("/auth/credentials"))["items"]]
        assert kinds == ["Fido2", "Key", "RecoveryKey"]
        challenge = user.challenge()
        answered(user.complete(challenge, user.factor(challenge)))


def test_one_credential_that_is_refused_refuses_them_all(application: Application) -> None:
    challenge = application.begin()
    recovery = recovery_credential({**challenge, "challenge": "Y2g"})

    response = application.complete(challenge, recoveryCredential=recovery)

    refused(response, 400, "clientData.challenge", "recoveryCredential.credentialInfo.clientData")
    refused(
        application.account.call("POST", "/auth/login/delegated", {"username": ALICE}),
        401,
        "user.unregistered",
    )


def test_failed_registration_may_be_repeated_with_the_same_challenge(
    application: Application,
) -> None:
    challenge = application.begin()
    application.authenticator.rp_id = "example.com"
    refused(application.complete(challenge), 401, "authenticatorData.rpId")
    application.authenticator.rp_id = "localhost"

    answered(application.complete(challenge))


def test_registration_that_was_not_completed_may_begin_again(application: Application) -> None:
    first = application.begin()

    second = application.begin()

    assert second["user"]["id"] == first["user"]["id"]
    answered(application.complete(second))


def test_registered_user_is_not_registered_again(application: Application) -> None:
    application.register()

    response = application.account.call(
        "POST", "/auth/registration/delegated", {"email": ALICE, "kind": "EndUser"}
    )

    refused(response, 409, "user.registered", ALICE)


def test_temporary_token_is_good_for_one_registration(application: Application) -> None:
    challenge = application.begin()
    answered(application.complete(challenge))

    refused(application.complete(challenge), 401, "token.unknown")


def test_temporary_token_is_good_for_nothing_else(application: Application) -> None:
    challenge = application.begin()

    with Caller(
        application.account.url,
        challenge["temporaryAuthenticationToken"],
        "",
        application.account.key,
    ) as browser:
        refused(browser.get("/wallets"), 401, "token.purpose", "of a user or a service account")
    refused(application.post("/auth/recover/user", challenge, {}), 401, "token.purpose")


def test_token_of_a_user_registers_nobody(application: Application, caller: Caller) -> None:
    challenge = {**application.begin(), "temporaryAuthenticationToken": caller.token}

    refused(application.complete(challenge), 401, "token.purpose", "temporaryAuthenticationToken")


def test_wallets_are_for_end_users_only(emulator: Emulator, application: Application) -> None:
    invited(emulator, "employee@example.com")
    challenge = begin_invited(application, "employee@example.com")

    refused(application.complete(challenge, "/enduser", wallets=[WALLET]), 404, "entity")


def test_same_credential_id_twice_in_one_registration_is_refused(application: Application) -> None:
    challenge = application.begin()
    second = key_credential(challenge, "Key", "cr-recovery", private_key("p256", 62))

    response = application.complete(
        challenge,
        secondFactorCredential=second,
        recoveryCredential=recovery_credential(challenge),
    )

    refused(response, 409, "credential.taken")


# Invited users


def invited(emulator: Emulator, username: str) -> None:
    """A user who was invited, as ``POST /auth/users`` makes one."""
    state: State = emulator._state
    state.directory.add_user(username, email=username, is_registered=False)


def begin_invited(application: Application, username: str) -> Json:
    answered(application.open("/auth/registration/code", "PUT", username=username))
    code = application.emulator.mail.code("registration", username)
    return answered(
        application.open("/auth/registration/init", username=username, registrationCode=code)
    )


def test_invited_user_registers_with_the_code_that_was_sent(
    emulator: Emulator, application: Application
) -> None:
    invited(emulator, "employee@example.com")

    challenge = begin_invited(application, "employee@example.com")

    answer = answered(application.complete(challenge))
    assert answer["user"]["username"] == "employee@example.com"


def test_registration_code_is_good_for_one_use(
    emulator: Emulator, application: Application
) -> None:
    invited(emulator, "employee@example.com")
    answered(application.open("/auth/registration/code", "PUT", username="employee@example.com"))
    code = emulator.mail.code("registration", "employee@example.com")
    body = {"username": "employee@example.com", "registrationCode": code}
    answered(application.open("/auth/registration/init", **body))

    refused(application.open("/auth/registration/init", **body), 401, "code")


def test_user_of_another_organisation_is_not_found(application: Application) -> None:
    response = application.open(
        "/auth/registration/code", "PUT", username=ALICE, orgId="or-another"
    )

    refused(response, 404, "entity", "Organisation")


# Social


def id_token(**claims: str) -> str:
    return f"e30.{b64url(json.dumps(claims).encode())}.c2ln"


@pytest.mark.parametrize(
    ("token", "username"),
    [
        (id_token(email=ALICE, sub="1"), ALICE),
        (id_token(sub="subject-1"), "subject-1"),
        ("opaque", "opaque"),
    ],
)
def test_user_of_an_identity_token_registers_and_logs_in(
    application: Application, token: str, username: str
) -> None:
    social = {"socialLoginProviderKind": "Oidc", "idToken": token}
    challenge = answered(application.open("/auth/registration/social", **social))
    assert challenge["user"]["name"] == username
    answered(application.complete(challenge))

    session = answered(application.open("/auth/login/social", **social))["token"]

    answered(application.call(session, "POST", "/wallets", WALLET))


def test_otp_url_has_a_secret_of_its_own_in_each_challenge(application: Application) -> None:
    urls = [application.begin(name)["otpUrl"] for name in ("a", "b")]

    secrets = [url.partition("secret=")[2].partition("&")[0] for url in urls]
    assert len(set(secrets)) == 2
    assert all(len(base64.b32decode(secret)) == 20 for secret in secrets)


def test_invited_employee_is_not_registered_as_an_end_user(
    emulator: Emulator, application: Application
) -> None:
    invited(emulator, "employee@example.com")
    body = {"email": "employee@example.com", "kind": "EndUser"}

    response = application.account.call("POST", "/auth/registration/delegated", body)

    refused(response, 409, "user.registered", "is not an end user")
