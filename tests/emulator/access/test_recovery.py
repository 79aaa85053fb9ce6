"""Recovery: a recovery key signs the credentials that replace all others."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from dfns_signers.emulator import Emulator
from tests.emulator.caller import Caller, answered, compact, refused
from tests.emulator.end_users import (
    Application,
    key_credential,
    recovery,
    recovery_credential,
)
from tests.emulator.keys import pem, private_key
from tests.emulator.passkeys import Authenticator, Json

ALICE = "alice@example.com"
PATH = "/auth/recover/user"


@pytest.fixture
def alice(application: Application) -> Application:
    """The application after a user with a recovery key and a wallet has registered."""
    challenge = application.begin()
    answered(
        application.complete(
            challenge,
            "/enduser",
            recoveryCredential=recovery_credential(challenge),
            wallets=[{"network": "EthereumSepolia"}],
        )
    )
    return application


def begin(application: Application) -> Json:
    body = {"username": ALICE, "credentialId": "cr-recovery"}
    return application.account.create(f"{PATH}/delegated", body)


def test_challenge_has_the_encrypted_recovery_key(alice: Application) -> None:
    challenge = begin(alice)

    assert challenge["allowedRecoveryCredentials"] == [
        {"id": "cr-recovery", "encryptedRecoveryKey": "opaque"}
    ]
    assert len(challenge["excludeCredentials"]) == 1


def test_recovered_user_signs_with_the_new_passkey_and_not_with_the_old(
    alice: Application,
) -> None:
    old = alice.authenticator
    challenge = begin(alice)
    alice.authenticator = Authenticator()

    answer = answered(
        alice.post(PATH, challenge, recovery({"firstFactorCredential": alice.passkey(challenge)}))
    )

    assert answer["user"]["username"] == ALICE
    token, wallet = alice.log_in(), {"network": "Base"}
    answered(alice.user_action(token, "POST", "/wallets", wallet))
    with Caller(alice.account.url, token, "", private_key("p256")) as browser:
        signing = browser.challenge()
        assert len(signing["allowCredentials"]["webauthn"]) == 1
        signed = old.get({**signing, "allowCredentials": {"webauthn": []}})
        refused(browser.complete(signing, signed), 401, "credential.disabled")


def test_wallets_stay_with_the_recovered_user(alice: Application) -> None:
    challenge = begin(alice)
    body = recovery({"firstFactorCredential": alice.passkey(challenge)})
    answered(alice.post(PATH, challenge, body))

    with Caller(alice.account.url, alice.log_in(), "", private_key("p256")) as user:
        listed = answered(user.get("/wallets"))["items"]

    owners = [wallet["signingKey"]["delegatedTo"] for wallet in listed]
    assert owners == [challenge["user"]["id"]]


def test_used_recovery_key_is_refused_and_its_successor_accepted(alice: Application) -> None:
    challenge = begin(alice)
    new = {
        "firstFactorCredential": alice.passkey(challenge),
        "recoveryCredential": recovery_credential(challenge, "cr-recovery-2"),
    }
    answered(alice.post(PATH, challenge, recovery(new)))

    old = {"username": ALICE, "credentialId": "cr-recovery"}
    refused(alice.account.call("POST", f"{PATH}/delegated", old), 401, "credential.disabled")
    alice.account.create(f"{PATH}/delegated", {**old, "credentialId": "cr-recovery-2"})


def test_recovery_with_a_code_needs_no_service_account(
    emulator: Emulator, alice: Application
) -> None:
    answered(alice.open(f"{PATH}/code", username=ALICE))
    code = emulator.mail.code("recovery", ALICE)
    challenge = answered(
        alice.open(
            f"{PATH}/init", username=ALICE, verificationCode=code, credentialId="cr-recovery"
        )
    )

    body = recovery({"firstFactorCredential": alice.passkey(challenge)})

    answered(alice.post(PATH, challenge, body))


def test_wrong_recovery_code_is_refused(alice: Application) -> None:
    response = alice.open(
        f"{PATH}/init", username=ALICE, verificationCode="x", credentialId="cr-recovery"
    )

    refused(response, 401, "code", "recovery code")


def test_personal_access_tokens_are_refused_after_a_recovery(
    emulator: Emulator, caller: Caller, application: Application
) -> None:
    key = private_key("ed25519", 64)
    token = caller.create("/auth/pats", {"name": "ci", "publicKey": pem(key)})
    emulator.register(pem(private_key("p256", 60)), "cr-recovery", kind="RecoveryKey")
    body = {"username": "emulator-user", "credentialId": "cr-recovery"}
    challenge = application.account.create(f"{PATH}/delegated", body)
    new = key_credential(challenge, "Key", "cr-new", private_key("p256", 65))

    answered(application.post(PATH, challenge, recovery({"firstFactorCredential": new})))

    headers = {"Authorization": f"Bearer {token['accessToken']}"}
    response = caller.http.get("/wallets", headers=headers)
    refused(response, 401, "token.deactivated")
    refused(
        caller.complete(issued := caller.challenge(), caller.factor(issued)),
        401,
        "credential.disabled",
    )


def test_session_goes_on_after_a_recovery(alice: Application) -> None:
    token, challenge = alice.log_in(), begin(alice)
    new = {"firstFactorCredential": alice.passkey(challenge)}

    answered(alice.post(PATH, challenge, recovery(new)))

    headers = {"Authorization": f"Bearer {token}"}
    assert len(answered(alice.account.http.get("/wallets", headers=headers))["items"]) == 1


# What the recovery key signs


def test_order_of_members_does_not_matter(alice: Application) -> None:
    challenge = begin(alice)
    new = {"firstFactorCredential": alice.passkey(challenge)}
    reordered = {name: dict(reversed(value.items())) for name, value in new.items()}

    answered(alice.post(PATH, challenge, recovery(new, signed=reordered)))


SPOILED: dict[str, tuple[Callable[[Json], Json], int, str]] = {
    "other-credentials": (
        lambda new: recovery(new, signed={"firstFactorCredential": {}}),
        400,
        "clientData.challenge",
    ),
    "not-json": (lambda new: recovery(new, challenge="e30x"), 400, "clientData.challenge"),
    "no-challenge": (lambda new: recovery(new, challenge=None), 400, "clientData.challenge"),
    "other-key": (lambda new: recovery(new, key=private_key("p256", 66)), 401, "signature.value"),
    "unknown-credential": (lambda new: recovery(new, "cr-nobody"), 401, "credential.unknown"),
    "foreign-credential": (lambda new: recovery(new, "cr-first"), 401, "credential.foreign"),
}


@pytest.mark.parametrize(("write", "status", "check"), SPOILED.values(), ids=SPOILED)
def test_recovery_that_the_recovery_key_has_not_signed_is_refused(
    alice: Application, write: Callable[[Json], Json], status: int, check: str
) -> None:
    challenge = begin(alice)
    new = {"firstFactorCredential": alice.passkey(challenge)}

    refused(alice.post(PATH, challenge, write(new)), status, check)
    answered(alice.post(PATH, challenge, recovery(new)))


def test_credentials_that_are_changed_after_signing_are_refused(alice: Application) -> None:
    challenge = begin(alice)
    new = {"firstFactorCredential": alice.passkey(challenge)}
    body = recovery(new)
    body["newCredentials"]["firstFactorCredential"]["credentialName"] = "after signing"

    refused(alice.post(PATH, challenge, body), 400, "clientData.challenge", "newCredentials")


def test_passkey_is_not_a_recovery_key(alice: Application) -> None:
    (passkey,) = alice.authenticator.passkeys
    body = {"username": ALICE, "credentialId": passkey}

    refused(alice.account.call("POST", f"{PATH}/delegated", body), 401, "credential.kind")


def test_recovery_key_signs_no_action_and_no_login(alice: Application) -> None:
    token = alice.log_in()
    with Caller(alice.account.url, token, "cr-recovery", private_key("p256", 60)) as user:
        challenge = user.challenge()
        assert challenge["allowCredentials"]["key"] == []
        as_key = user.factor(challenge)
        refused(user.complete(challenge, as_key), 401, "credential.kind", "RecoveryKey")
        as_itself = {**as_key, "kind": "RecoveryKey"}
        refused(user.complete(user.challenge(), as_itself), 400, "field.value")


def test_only_a_service_account_recovers_others(alice: Application, caller: Caller) -> None:
    body = {"username": ALICE, "credentialId": "cr-recovery"}

    refused(caller.call("POST", f"{PATH}/delegated", body), 403, "token.serviceAccount")


def test_body_is_what_the_recovery_key_signs_and_not_its_text(alice: Application) -> None:
    challenge = begin(alice)
    body = recovery({"firstFactorCredential": alice.passkey(challenge)})
    headers = {
        "Authorization": f"Bearer {challenge['temporaryAuthenticationToken']}",
        "Content-Type": "application/json",
    }
    spaced = compact(body).replace(b",", b", ")

    answered(alice.account.http.post(PATH, content=spaced, headers=headers))
