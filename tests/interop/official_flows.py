"""Bodies that answer a challenge or have a code, which are asked for before."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from tests.emulator.caller import answered
from tests.emulator.end_users import key_credential, recovery
from tests.emulator.flows import ACTION, NEW, REGISTRATION, Json
from tests.interop.official_world import ALICE, NETWORK, USER, World


def _action(world: World) -> tuple[Json, str]:
    return ACTION.correct(world.caller, ACTION.begin(world.caller)), ""


def _new_credential(world: World) -> tuple[Json, str]:
    return REGISTRATION.correct(world.caller, REGISTRATION.begin(world.caller)), ""


def _credential_to_change(world: World) -> tuple[Json, str]:
    uuid = world.identifier("/auth/credentials", _new_credential(world)[0])
    return {"credentialUuid": uuid}, ""


def _begun_with_code(world: World) -> Json:
    code = _code(world)[0]
    return answered(world.caller.http.post("/auth/credentials/code/init", json=code))


def _code(world: World) -> tuple[Json, str]:
    body = {"expiration": "2100-01-01T00:00:00Z"}
    made = world.caller.create("/auth/credentials/code", body)
    return {"credentialKind": "Key", "code": made["code"]}, ""


def _credential_of_code(world: World) -> tuple[Json, str]:
    challenge = _begun_with_code(world)
    body = {
        **key_credential(challenge, "Key", "cr-new", NEW),
        "credentialName": "one",
        "challengeIdentifier": challenge["challengeIdentifier"],
    }
    return body, ""


def _registration(world: World) -> tuple[Json, str]:
    challenge = world.application.begin(ALICE)
    body = {"firstFactorCredential": key_credential(challenge, "Key", "cr-new", NEW)}
    return body, challenge["temporaryAuthenticationToken"]


def _registration_with_wallets(world: World) -> tuple[Json, str]:
    body, token = _registration(world)
    return {**body, "wallets": [{"network": NETWORK}]}, token


def _registration_code(world: World) -> tuple[Json, str]:
    username = world.invited()
    code = world.emulator.mail.code("registration", username)
    org_id = world.emulator.org_id
    return {"orgId": org_id, "username": username, "registrationCode": code}, ""


def _invited(world: World) -> tuple[Json, str]:
    return {"orgId": world.emulator.org_id, "username": world.invited()}, ""


def _login(world: World) -> tuple[Json, str]:
    challenge = answered(world.application.open("/auth/login/init", username=USER))
    factor = world.caller.factor(challenge)
    return {"challengeIdentifier": challenge["challengeIdentifier"], "firstFactor": factor}, ""


def _recovery_code(world: World) -> tuple[Json, str]:
    username = world.registered()
    answered(world.application.open("/auth/recover/user/code", username=username))
    body = {
        "username": username,
        "verificationCode": world.emulator.mail.code("recovery", username),
        "orgId": world.emulator.org_id,
        "credentialId": "cr-recovery",
    }
    return body, ""


def _recovery_of(world: World) -> tuple[Json, str]:
    return {"username": world.registered(), "credentialId": "cr-recovery"}, ""


def _recovery(world: World) -> tuple[Json, str]:
    path = "/auth/recover/user/delegated"
    challenge = world.application.account.create(path, _recovery_of(world)[0])
    new = {"firstFactorCredential": key_credential(challenge, "Key", "cr-new", NEW)}
    return recovery(new), challenge["temporaryAuthenticationToken"]


# Bodies that sign a challenge or have a code, and the token that belongs to them.
FLOWS: Final[Mapping[str, Callable[[World], tuple[Any, str]]]] = {
    "POST /auth/action": _action,
    "POST /auth/action/init": lambda _: (
        {
            "userActionPayload": "",
            "userActionHttpMethod": "POST",
            "userActionHttpPath": "/wallets",
        },
        "",
    ),
    "POST /auth/credentials": _new_credential,
    "PUT /auth/credentials/activate": _credential_to_change,
    "PUT /auth/credentials/deactivate": _credential_to_change,
    "POST /auth/credentials/code/init": _code,
    "POST /auth/credentials/code/verify": _credential_of_code,
    "POST /auth/login": _login,
    "POST /auth/login/delegated": lambda world: ({"username": world.registered()}, ""),
    "POST /auth/login/social": lambda _: (
        {"socialLoginProviderKind": "Oidc", "idToken": USER},
        "",
    ),
    "POST /auth/registration": _registration,
    "POST /auth/registration/delegated": lambda _: ({"email": ALICE, "kind": "EndUser"}, ""),
    "POST /auth/registration/enduser": _registration_with_wallets,
    "POST /auth/registration/init": _registration_code,
    "PUT /auth/registration/code": _invited,
    "POST /auth/recover/user": _recovery,
    "POST /auth/recover/user/init": _recovery_code,
    "POST /auth/recover/user/delegated": _recovery_of,
}
