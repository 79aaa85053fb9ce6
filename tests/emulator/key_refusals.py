"""A request for each check in the section "Tokens, wallets and keys" of emulator-refusals.md."""

from __future__ import annotations

import httpx

from tests.emulator.flows import Json
from tests.emulator.spoiled import Request, World, call

ECDSA: Json = {"scheme": "ECDSA", "curve": "secp256k1"}
MESSAGE: Json = {"kind": "Message", "message": "00"}


def key_and_scheme(world: World) -> httpx.Response:
    key = world.caller.create("/keys", ECDSA)
    signing_key = {"id": key["id"], "scheme": "ECDSA"}
    return call("/wallets", {"network": "Base", "signingKey": signing_key})(world)


def signature(kind: Json, body: Json) -> Request:
    """A signature by a new key of this kind."""

    def request(world: World) -> httpx.Response:
        key = world.caller.create("/keys", kind)
        return call(f"/keys/{key['id']}/signatures", body)(world)

    return request


def delegation_of_a_treasury(world: World) -> httpx.Response:
    key = world.caller.create("/keys", ECDSA)
    return call(f"/keys/{key['id']}/delegate", {"delegateTo": world.emulator.user_id})(world)


def signature_by_another_owner(world: World) -> httpx.Response:
    key = world.stranger.create("/keys", {**ECDSA, "delegateTo": world.emulator.user_id})
    return world.stranger.call("POST", f"/keys/{key['id']}/signatures", MESSAGE)


ENTITIES = [
    ("publicKey", call("/auth/pats", {"name": "ci", "publicKey": "x"})),
    ("field.exclusive", key_and_scheme),
    ("key.curve", call("/keys", {"scheme": "EdDSA", "curve": "secp256k1"})),
    ("key.network", call("/wallets", {"network": "Solana", "signingKey": {"scheme": "ECDSA"}})),
    ("key.scheme", signature({"scheme": "DH", "curve": "secp256k1"}, MESSAGE)),
    ("typedData", signature(ECDSA, {"kind": "Eip712", "types": {}, "domain": {}, "message": {}})),
    ("key.delegation", delegation_of_a_treasury),
    ("key.owner", signature_by_another_owner),
]
