"""A request for each check in each row of the tables of emulator-refusals.md, in their order."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import httpx

from dfns_signers.emulator import Emulator
from tests.emulator.access_refusals import ACCESS
from tests.emulator.caller import Caller, answered, b64url, compact
from tests.emulator.flows import (
    ACTION,
    NEW,
    REGISTRATION,
    Json,
    attest,
    begin_registration,
    drop,
    put,
)
from tests.emulator.key_refusals import ENTITIES
from tests.emulator.keys import pem, private_key, sign
from tests.emulator.refusals_of_end_users import (
    END_USERS,
    PASSKEYS,
    assertion,
    delegated_by_a_user,
    one_time_password_of_another_secret,
    token_of_a_user_registers,
    unknown_one_time_code,
    without_a_key,
)
from tests.emulator.refused_transfers import TRANSFERS
from tests.emulator.spoiled import (
    WALLET,
    Request,
    World,
    announced,
    attempt,
    attestation,
    call,
    challenges,
    client_data,
    create,
    get,
    get_with,
    init,
    post,
)
from tests.emulator.uploads import data_of, path, send, upload
from tests.emulator.webhook_receiver import WEBHOOKS

ASSERTION = "firstFactor.credentialAssertion"


@dataclass(frozen=True)
class Case:
    section: str
    check: str
    request: Request


def section(name: str, cases: Iterable[tuple[str, Request]]) -> list[Case]:
    return [Case(name, check, request) for check, request in cases]


# Every request


def token(world: World, **members: int) -> Json:
    body = {"name": "ci", "publicKey": pem(NEW), **members}
    return world.caller.create("/auth/pats", body)


def deactivated_token(world: World) -> httpx.Response:
    created = token(world)
    answered(world.caller.call("PUT", f"/auth/pats/{created['tokenId']}/deactivate"))
    return get_with(f"Bearer {created['accessToken']}")(world)


def expired_token(world: World) -> httpx.Response:
    created = token(world, secondsValid=60)
    world.clock.now += 60
    return get_with(f"Bearer {created['accessToken']}")(world)


def deactivated_user(world: World) -> httpx.Response:
    world.emulator.disable_identity(world.emulator.user_id)
    return world.caller.get("/wallets")


def token_made_by_a_token(world: World) -> httpx.Response:
    created = token(world)
    with Caller(world.caller.url, created["accessToken"], created["credId"], NEW) as machine:
        return machine.call("POST", "/auth/pats", {"name": "ci", "publicKey": pem(NEW)})


def one_request_too_many(world: World) -> httpx.Response:
    with Emulator(rate_limit=1) as limited:
        headers = {"Authorization": f"Bearer {limited.auth_token}"}
        world.caller.http.get(f"{limited.url}/wallets", headers=headers)
        return world.caller.http.get(f"{limited.url}/wallets", headers=headers)


def external_id_in_use(world: World) -> httpx.Response:
    world.caller.create("/wallets", {"network": "Base", "externalId": "e-1"})
    return call("/wallets", {"network": "Bitcoin", "externalId": "e-1"})(world)


EVERY_REQUEST = [
    ("path", get("/nothing")),
    ("method", lambda world: world.caller.send("PATCH", "/wallets")),
    ("token.missing", get_with()),
    ("token.malformed", get_with("Basic eDp5")),
    ("token.unknown", get_with("Bearer e30")),
    ("token.deactivated", deactivated_token),
    ("token.expired", expired_token),
    ("token.user", deactivated_user),
    ("token.session", token_made_by_a_token),
    ("token.serviceAccount", delegated_by_a_user),
    ("token.purpose", token_of_a_user_registers),
    ("rateLimit", one_request_too_many),
    ("body.size", post(b" " * 1_048_577)),
    ("body.type", post(b"{}", "text/plain")),
    ("body.json", post(b"{")),
    ("field.missing", call("/wallets", {})),
    ("field.unknown", call("/wallets", {"network": "Base", "note": "x"})),
    ("field.value", call("/wallets", {"network": 1})),
    ("query.repeated", get("/wallets?limit=1&limit=1")),
    ("query.limit", get("/wallets?limit=501")),
    ("query.paginationToken", get("/wallets?paginationToken=x")),
    ("entity", get("/wallets/wa-1")),
    ("externalId", external_id_in_use),
]


# POST /auth/action


def disabled_credential(world: World) -> httpx.Response:
    world.emulator.disable_credential("cr-first")
    return ACTION.attempt(world.caller)


def foreign_credential(world: World) -> httpx.Response:
    return ACTION.attempt(world.caller, put(f"{ASSERTION}.credId", "cr-stranger"))


def demanding(change: Callable[[Json], None]) -> Request:
    """Sign with a credential that requires a second factor."""

    def request(world: World) -> httpx.Response:
        key = pem(world.caller.key)
        world.emulator.register(key, "cr-demanding", requires_second_factor=True)
        world.caller.credential_id = "cr-demanding"
        return ACTION.attempt(world.caller, change)

    return request


def repeat_the_factor(body: Json) -> None:
    body["secondFactor"] = body["firstFactor"]


SIGN = [
    ("field.missing", attempt(ACTION, drop(f"{ASSERTION}.signature"))),
    ("field.unknown", attempt(ACTION, put(f"{ASSERTION}.note", "x"))),
    ("field.value", attempt(ACTION, put("firstFactor.kind", "Totp"))),
    ("field.value", attempt(ACTION, put(f"{ASSERTION}.algorithm", "SHA512"))),
    *challenges(ACTION),
    ("credential.unknown", attempt(ACTION, put(f"{ASSERTION}.credId", "cr-nobody"))),
    ("credential.foreign", foreign_credential),
    ("credential.disabled", disabled_credential),
    ("credential.kind", attempt(ACTION, put("firstFactor.kind", "PasswordProtectedKey"))),
    ("base64url", attempt(ACTION, put(f"{ASSERTION}.signature", "A="))),
    ("clientData.json", client_data(ACTION, lambda _: b"{")),
    ("clientData.object", client_data(ACTION, lambda _: b"[]")),
    ("clientData.type", client_data(ACTION, lambda right: compact({**right, "type": "x"}))),
    ("clientData.challenge", client_data(ACTION, lambda right: compact({"type": right["type"]}))),
    ("signature.encoding", attempt(ACTION, put(f"{ASSERTION}.signature", b64url(b"\1" * 63)))),
    ("signature.value", attempt(ACTION, put(f"{ASSERTION}.signature", b64url(b"\1" * 64)))),
    ("authenticatorData", assertion(authenticator_data=lambda data: data[:36])),
    ("password", without_a_key("Password", "password")),
    ("otpCode", without_a_key("Totp", "otpCode")),
    ("secondFactor.missing", demanding(lambda _: None)),
    ("secondFactor.same", demanding(repeat_the_factor)),
]


# Signed calls


def two_user_actions(world: World) -> httpx.Response:
    headers = [("Authorization", f"Bearer {world.caller.token}")]
    headers += [("X-DFNS-USERACTION", world.caller.user_action("POST", "/wallets"))] * 2
    return world.caller.http.post("/wallets", headers=headers)


def spent_user_action(world: World) -> httpx.Response:
    action = world.caller.user_action("POST", "/wallets", WALLET.decode())
    answered(create(world, action))
    return create(world, action)


def foreign_user_action(world: World) -> httpx.Response:
    return create(world, world.stranger.user_action("POST", "/wallets", WALLET.decode()))


SIGNED_CALLS = [
    ("userAction.missing", lambda world: create(world, None)),
    ("userAction.repeated", two_user_actions),
    ("userAction.unknown", lambda world: create(world, "e30.e30.e30")),
    ("userAction.expired", announced(late=300)),
    ("userAction.foreign", foreign_user_action),
    ("userAction.used", spent_user_action),
    ("userAction.method", announced(method="PUT")),
    ("userAction.path", announced(path="/keys")),
    ("userAction.payload", announced(payload=b"{}")),
]


# New credentials


def challenge_of_another_kind(world: World) -> httpx.Response:
    challenge = begin_registration(world.caller, "PasswordProtectedKey")
    return REGISTRATION.send(world.caller, REGISTRATION.correct(world.caller, challenge))


def key_of_another_kind(world: World) -> httpx.Response:
    return attest(world.caller, publicKey=pem(private_key("rsa-1024")))


NEW_CREDENTIALS = [
    ("field.missing", attempt(REGISTRATION, drop("credentialInfo.credId"))),
    ("field.unknown", attempt(REGISTRATION, put("credentialInfo.note", "x"))),
    ("field.value", attempt(REGISTRATION, put("credentialKind", "Yubikey"))),
    ("credential.kind", challenge_of_another_kind),
    *challenges(REGISTRATION),
    ("base64url", attempt(REGISTRATION, put("credentialInfo.attestationData", "e30="))),
    ("clientData.json", client_data(REGISTRATION, lambda _: b"{")),
    ("clientData.object", client_data(REGISTRATION, lambda _: b"[]")),
    ("clientData.type", client_data(REGISTRATION, lambda right: compact({**right, "type": "x"}))),
    ("clientData.challenge", client_data(REGISTRATION, lambda _: b'{"type":"key.create"}')),
    ("attestation.json", attempt(REGISTRATION, put("credentialInfo.attestationData", "ew"))),
    ("attestation.hex", attestation(signature="0x00")),
    ("signature.encoding", attestation(signature="11" * 64)),
    ("signature.value", attestation(signature=sign(NEW, b"").hex())),
    ("publicKey", attestation(publicKey="ssh-ed25519 AAAA")),
    ("publicKey", key_of_another_kind),
    ("credential.taken", attempt(REGISTRATION, put("credentialInfo.credId", "cr-stranger"))),
    ("otpCode", one_time_password_of_another_secret),
    ("code", unknown_one_time_code),
]


# Uploads

UPLOADS = [
    ("body.type", lambda world: world.caller.call("POST", path(world.caller), {})),
    ("body.parts", lambda world: send(world.caller, "{}", {"data": (None, b"{}")})),
    ("body.checksum", lambda world: upload(world.caller, data_of(b"x"), b"y")),
]

CASES = [
    *section("Every request", EVERY_REQUEST),
    *section(
        "POST /auth/action/init",
        [
            ("field.missing", init(drop("userActionPayload"))),
            ("field.unknown", init(put("note", "x"))),
            ("field.value", init(put("userActionPayload", 1))),
            ("field.value", init(put("userActionHttpMethod", "PATCH"))),
            ("field.value", init(put("userActionServerKind", "Staff"))),
            ("field.value", init(put("userActionHttpPath", "https://api.dfns.io/wallets"))),
        ],
    ),
    *section("POST /auth/action", SIGN),
    *section("Signed calls", SIGNED_CALLS),
    *section("New credentials", NEW_CREDENTIALS),
    *section("Uploads", UPLOADS),
    *section("Passkeys", PASSKEYS),
    *section("Registration, login and recovery", END_USERS),
    *section("Tokens, wallets and keys", ENTITIES),
    *section("Transfers and transactions", TRANSFERS),
    *section("Webhooks", WEBHOOKS),
    *section("Permissions, policies and approvals", ACCESS),
]
