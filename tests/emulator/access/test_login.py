"""Logging in and out, by the user or for the user."""

from __future__ import annotations

from typing import Any

import pytest

from dfns_signers.emulator import Emulator
from dfns_signers.errors import ConfigurationError
from tests.emulator.caller import Caller, answered, refused
from tests.emulator.conftest import Clock
from tests.emulator.end_users import Application
from tests.emulator.keys import pem, private_key
from tests.emulator.passkeys import Json

ALICE = "alice@example.com"


@pytest.fixture
def alice(application: Application) -> Application:
    """The application after a user has registered."""
    application.register()
    return application


def begin(application: Application, **body: str) -> Json:
    return answered(application.open("/auth/login/init", **body))


def complete(application: Application, challenge: Json, factor: Any = None) -> Any:
    body = {
        "challengeIdentifier": challenge["challengeIdentifier"],
        "firstFactor": factor or application.authenticator.get(challenge),
    }
    return application.account.http.post("/auth/login", json=body)


@pytest.mark.parametrize("body", [{"username": ALICE}, {}], ids=["username", "passkey-alone"])
def test_passkey_logs_its_user_in(alice: Application, body: dict[str, str]) -> None:
    token = answered(complete(alice, begin(alice, **body)))["token"]

    with Caller(alice.account.url, token, "", private_key("p256")) as user:
        (credential,) = answered(user.get("/auth/credentials"))["items"]
    assert credential["kind"] == "Fido2"
    assert (credential["relyingPartyId"], credential["origin"]) == (
        "localhost",
        "http://localhost:8000",
    )


def test_session_ends_after_six_hours(alice: Application, clock: Clock) -> None:
    token = answered(complete(alice, begin(alice)))["token"]
    clock.now += 6 * 3600

    with Caller(alice.account.url, token, "", private_key("p256")) as user:
        refused(user.get("/wallets"), 401, "token.expired")


def test_session_is_forgotten_an_hour_after_its_end(alice: Application, clock: Clock) -> None:
    first = alice.log_in()
    clock.now += 6 * 3600 + 3599
    second = alice.log_in()

    with Caller(alice.account.url, first, "", private_key("p256")) as user:
        refused(user.get("/wallets"), 401, "token.expired")
        clock.now += 1
        third = alice.log_in()
        refused(user.get("/wallets"), 401, "token.unknown")
    assert len({first, second, third}) == 3


def test_challenge_of_a_login_is_good_for_one_use(alice: Application) -> None:
    challenge = begin(alice)
    answered(complete(alice, challenge))

    refused(complete(alice, challenge), 400, "challenge.used")


def test_passkey_of_another_user_does_not_log_in(alice: Application) -> None:
    challenge = begin(alice, username=ALICE)
    alice.register("bob@example.com")
    theirs = list(alice.authenticator.passkeys)[-1]

    factor = alice.authenticator.get(
        {**challenge, "allowCredentials": {"webauthn": [{"id": theirs}]}}
    )

    refused(complete(alice, challenge, factor), 401, "credential.foreign")


def test_unknown_passkey_does_not_log_in(alice: Application) -> None:
    challenge = begin(alice)
    factor = alice.authenticator.get(challenge)
    factor["credentialAssertion"]["credId"] = "cr-nobody"

    refused(complete(alice, challenge, factor), 401, "user.unregistered")


def test_deactivated_user_does_not_log_in(alice: Application, emulator: Emulator) -> None:
    challenge = begin(alice)
    emulator.disable_identity(alice.user_id())

    refused(complete(alice, challenge), 401, "token.user")


def test_unknown_user_has_no_login_challenge(alice: Application) -> None:
    refused(alice.open("/auth/login/init", username="nobody"), 404, "entity", "User")


# Password-protected keys


def test_encrypted_key_is_for_those_with_the_login_code(
    emulator: Emulator, application: Application
) -> None:
    key = private_key("ed25519", 63)
    emulator.register(pem(key), "cr-protected", kind="PasswordProtectedKey")
    username = "emulator-user"
    without = begin(application, username=username)
    answered(application.open("/auth/login/code", username=username))

    code = emulator.mail.code("login", username)
    challenge = begin(application, username=username, loginCode=code)

    assert without["allowCredentials"]["passwordProtectedKey"] == []
    (listed,) = challenge["allowCredentials"]["passwordProtectedKey"]
    assert listed["encryptedPrivateKey"]
    with Caller(emulator.url, "", "cr-protected", key) as user:
        factor = {**user.factor(challenge), "kind": "PasswordProtectedKey"}
    answered(complete(application, challenge, factor))


def test_wrong_login_code_is_refused(emulator: Emulator, application: Application) -> None:
    answered(application.open("/auth/login/code", username="emulator-user"))

    response = application.open("/auth/login/init", username="emulator-user", loginCode="wrong")

    refused(response, 401, "code", "login code")
    assert emulator.mail.code("login", "emulator-user")


def test_code_that_was_not_sent_is_named(emulator: Emulator) -> None:
    with pytest.raises(ConfigurationError, match="no login code was sent to alice"):
        emulator.mail.code("login", "alice")


# Delegated


def test_only_a_service_account_logs_others_in(alice: Application, caller: Caller) -> None:
    response = caller.call("POST", "/auth/login/delegated", {"username": ALICE})

    error = refused(response, 403, "token.serviceAccount", "Auth:Login:Delegated")
    assert error["details"]["found"] == "Token"


def test_employee_is_not_logged_in_by_a_service_account(application: Application) -> None:
    response = application.account.call(
        "POST", "/auth/login/delegated", {"username": "emulator-user"}
    )

    refused(response, 404, "entity", "End user")


# Single sign-on


def test_single_sign_on_logs_the_first_user_in(
    emulator: Emulator, application: Application
) -> None:
    sent = {"clientId": "c-1", "redirectUri": "http://localhost:8000/sso"}
    url = answered(application.open("/auth/login/sso/init", **sent))["ssoRedirectUrl"]
    assert url.startswith("http://localhost:8000/sso?code=")

    body = {"code": "c", "state": "s"}
    token = answered(application.account.http.post("/auth/login/sso", json=body))["token"]

    with Caller(emulator.url, token, "", private_key("p256")) as user:
        (credential,) = answered(user.get("/auth/credentials"))["items"]
    assert credential["credentialId"] == "cr-first"


# Logging out


@pytest.mark.parametrize(
    ("body", "ended"), [(b"", 1), (b"null", 1), (b"{}", 1), (b'{"allSessions":true}', 2)]
)
def test_token_is_refused_after_its_logout(alice: Application, body: bytes, ended: int) -> None:
    tokens = [alice.log_in(), alice.log_in()]
    headers = {"Authorization": f"Bearer {tokens[0]}", "Content-Type": "application/json"}

    answered(alice.account.http.put("/auth/logout", content=body, headers=headers))

    statuses = [
        alice.account.http.get("/wallets", headers={"Authorization": f"Bearer {token}"}).status_code
        for token in tokens
    ]
    assert statuses.count(401) == ended
    assert statuses[0] == 401


def test_service_account_has_no_session_to_end(application: Application) -> None:
    refused(application.account.send("PUT", "/auth/logout"), 403, "token.session")
