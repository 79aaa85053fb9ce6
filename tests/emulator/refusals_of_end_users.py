"""Requests with passkeys, or of end users, for each check in their rows of emulator-refusals.md."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
from fido2 import cbor

from dfns_signers.emulator.credentials.credentials import NewCredential
from dfns_signers.emulator.state import State
from tests.emulator.caller import Caller, answered, b64url
from tests.emulator.end_users import Application, recovery, recovery_credential
from tests.emulator.flows import Change, Json, begin_registration, put
from tests.emulator.keys import pem, private_key
from tests.emulator.passkeys import Authenticator, from_b64url
from tests.emulator.spoiled import Request, World

ALICE = {"username": "alice@example.com"}
DELEGATED = "/auth/registration/delegated"
RECOVERY = "/auth/recover/user"
OTHER_KEY = cbor.encode({1: 2, 3: -35, -1: 2, -2: bytes(48), -3: bytes(48)})  # ES384


def application(world: World, **settings: Any) -> Application:
    key = private_key("ed25519", 98)
    identity = world.emulator.add_identity(
        "application", service_account=True, credentials={"cr-application": pem(key)}
    )
    account = Caller(world.emulator.url, identity.token, "cr-application", key)
    account.http.close()
    account.http = world.caller.http  # which is closed at the end of the test
    return Application(world.emulator, account, Authenticator(**settings))


def new_passkey(change: Callable[[Json], Any] = lambda _: None, **spoiled: Any) -> Request:
    """The registration of a passkey whose ``credentialInfo`` is changed."""

    def request(world: World) -> httpx.Response:
        app = application(world)
        challenge = app.begin()
        info = app.authenticator.create(challenge, **spoiled)
        change(info)
        credential = {"credentialKind": "Fido2", "credentialInfo": info}
        return app.complete(challenge, firstFactorCredential=credential)

    return request


def new_passkey_of(**settings: Any) -> Request:
    """The registration of a passkey of another authenticator or page."""

    def request(world: World) -> httpx.Response:
        app = application(world, **settings)
        return app.complete(app.begin())

    return request


def assertion(change: Change = lambda _: None, **spoiled: Any) -> Request:
    """An assertion of a passkey that is changed."""

    def request(world: World) -> httpx.Response:
        app = application(world)
        app.register()
        return app.try_assertion(change, **spoiled)

    return request


def counter_that_stays(world: World) -> httpx.Response:
    app = application(world, counter=1, counts=False)
    app.register()
    return app.try_assertion()


def format_that_is_not_known(world: World) -> httpx.Response:
    return spoiled_object(world, fmt="mine")


def statement_that_is_not_empty(world: World) -> httpx.Response:
    return spoiled_object(world, attStmt={"alg": -7})


def spoiled_object(world: World, **members: Any) -> httpx.Response:
    app = application(world)
    challenge = app.begin()
    info = app.authenticator.create(challenge)
    made: Any = cbor.decode(from_b64url(info["attestationData"]))
    info["attestationData"] = b64url(cbor.encode({**made, **members}))
    credential = {"credentialKind": "Fido2", "credentialInfo": info}
    return app.complete(challenge, firstFactorCredential=credential)


PASSKEYS = [
    ("clientData.origin", new_passkey_of(origin="http://example.com")),
    (
        "clientData.crossOrigin",
        new_passkey(client_data=lambda content: content.update(crossOrigin=True)),
    ),
    ("authenticatorData.rpId", new_passkey_of(rp_id="example.com")),
    ("authenticatorData.userPresent", new_passkey_of(flags=0x04)),
    ("authenticatorData.userVerified", new_passkey_of(flags=0x01)),
    ("authenticatorData.backup", new_passkey_of(flags=0x15)),
    ("attestation.object", new_passkey(put("attestationData", "_w"))),
    ("attestation.format", format_that_is_not_known),
    ("attestation.statement", statement_that_is_not_empty),
    ("attestation.credId", new_passkey(put("credId", "cr-mine"))),
    ("publicKey", new_passkey(authenticator_data=lambda data: data[:71] + OTHER_KEY)),
    ("authenticatorData.counter", counter_that_stays),
    ("userHandle", assertion(put("userHandle", b64url(b"us-1")))),
]


# Every request


def delegated_by_a_user(world: World) -> httpx.Response:
    return world.caller.call("POST", DELEGATED, {"email": "alice", "kind": "EndUser"})


def token_of_a_user_registers(world: World) -> httpx.Response:
    app = application(world)
    return app.complete({**app.begin(), "temporaryAuthenticationToken": world.caller.token})


# POST /auth/action


def without_a_key(kind: str, member: str) -> Request:
    """A first or second factor of a kind without a key that is wrong."""

    def request(world: World) -> httpx.Response:
        state: State = world.emulator._state
        new = NewCredential("Password" if kind == "Password" else "Totp", "cr-1", secret=bytes(20))
        state.directory.keep_credential(world.emulator.user_id, new, kind)
        challenge = world.caller.challenge()
        factor = {"kind": kind, member: "wrong"}
        if kind == "Password":
            return world.caller.complete(challenge, factor)
        return world.caller.complete(challenge, world.caller.factor(challenge), secondFactor=factor)

    return request


# New credentials


def one_time_password_of_another_secret(world: World) -> httpx.Response:
    challenge = begin_registration(world.caller, "Totp")
    body = {
        "credentialKind": "Totp",
        "credentialName": "phone",
        "challengeIdentifier": challenge["challengeIdentifier"],
        "credentialInfo": {"otpCode": "wrong"},
    }
    return world.caller.call("POST", "/auth/credentials", body)


def unknown_one_time_code(world: World) -> httpx.Response:
    body = {"credentialKind": "Key", "code": "unknown"}
    return world.caller.http.post("/auth/credentials/code/init", json=body)


# Registration, login and recovery


def wrong_code(world: World) -> httpx.Response:
    return application(world).open("/auth/login/init", username="emulator-user", loginCode="x")


def unknown_user(world: World) -> httpx.Response:
    return application(world).open("/auth/login/code", username="nobody")


def registered_twice(world: World) -> httpx.Response:
    app = application(world)
    app.register()
    body = {"email": ALICE["username"], "kind": "EndUser"}
    return app.account.call("POST", DELEGATED, body)


def login_before_the_registration(world: World) -> httpx.Response:
    app = application(world)
    app.begin()
    return app.account.call("POST", "/auth/login/delegated", ALICE)


def same_id_twice(world: World) -> httpx.Response:
    app = application(world)
    challenge = app.begin()
    recovery_key = recovery_credential(challenge)
    second = {**recovery_credential(challenge), "credentialKind": "PasswordProtectedKey"}
    return app.complete(challenge, secondFactorCredential=second, recoveryCredential=recovery_key)


def recovering(application: Application) -> Json:
    """The challenge of a recovery of a user who has registered a recovery key."""
    challenge = application.begin()
    recovery_key = recovery_credential(challenge)
    answered(application.complete(challenge, recoveryCredential=recovery_key))
    body = {**ALICE, "credentialId": "cr-recovery"}
    return application.account.create(f"{RECOVERY}/delegated", body)


def recovery_by(credential_id: str) -> Request:
    def request(world: World) -> httpx.Response:
        app = application(world)
        challenge = recovering(app)
        new = {"firstFactorCredential": app.passkey(challenge)}
        return app.post(RECOVERY, challenge, recovery(new, credential_id))

    return request


def recovery_by_a_disabled_key(world: World) -> httpx.Response:
    app = application(world)
    challenge = recovering(app)
    world.emulator.disable_credential("cr-recovery")
    new = {"firstFactorCredential": app.passkey(challenge)}
    return app.post(RECOVERY, challenge, recovery(new))


def recovery_by_a_passkey(world: World) -> httpx.Response:
    app = application(world)
    app.register()
    (passkey,) = app.authenticator.passkeys
    body = {**ALICE, "credentialId": passkey}
    return app.account.call("POST", f"{RECOVERY}/delegated", body)


def other_credentials_signed(world: World) -> httpx.Response:
    app = application(world)
    challenge = recovering(app)
    new = {"firstFactorCredential": app.passkey(challenge)}
    return app.post(RECOVERY, challenge, recovery(new, signed={}))


def new_credentials_of_another_challenge(world: World) -> httpx.Response:
    app = application(world)
    challenge = recovering(app)
    new = {"firstFactorCredential": app.passkey({**challenge, "challenge": "Y2g"})}
    return app.post(RECOVERY, challenge, recovery(new))


END_USERS = [
    ("code", wrong_code),
    ("entity", unknown_user),
    ("user.registered", registered_twice),
    ("user.unregistered", login_before_the_registration),
    ("credential.taken", same_id_twice),
    ("credential.unknown", recovery_by("cr-nobody")),
    ("credential.foreign", recovery_by("cr-first")),
    ("credential.disabled", recovery_by_a_disabled_key),
    ("credential.kind", recovery_by_a_passkey),
    ("clientData.challenge", other_credentials_signed),
    ("clientData.challenge", new_credentials_of_another_challenge),
]
