"""An emulator, the clients of the official SDK, and what a method needs before it is called."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeAlias
from urllib.parse import quote

import dfns_sdk

from dfns_signers.emulator import Emulator
from dfns_signers.operations import Operation, match_operation, shapes_of
from tests.core.keys import private_key, private_pem, public_key, public_pem
from tests.emulator.caller import Caller, answered
from tests.emulator.flows import ACTION, REGISTRATION
from tests.emulator.keys import PrivateKey, pem
from tests.emulator.keys import private_key as emulator_key
from tests.interop.official_methods import Method
from tests.interop.shape_values import MOMENTS, minimal

Json: TypeAlias = dict[str, Any]

UPLOAD = b"output of an offline signer"
TO = f"0x{'00' * 20}"
PUBLIC_KEY = pem(emulator_key("p256", 7))
POLICY: Json = {
    "name": "one",
    "activityKind": "Wallets:Sign",
    "rule": {"kind": "AlwaysTrigger"},
    "action": {
        "kind": "RequestApproval",
        "approvalGroups": [{"quorum": 1, "approvers": {"userId": {"in": ["us-1"]}}}],
    },
}
# What the emulator checks beyond the declared shape.
BODIES: Mapping[str, Json] = {
    "POST /auth/tokens": {"target": "or-1"},
    "POST /permissions": {"name": "one", "operations": ["Wallets:Read"]},
    "PUT /permissions/{permissionId}": {"operations": ["Wallets:Read"]},
    "POST /v2/policies": POLICY,
    "PUT /v2/policies/{policyId}": POLICY,
    "POST /keys": {"scheme": "ECDSA", "curve": "secp256k1"},
    "POST /keys/{keyId}/signatures": {"kind": "Hash", "hash": "0x" + "11" * 32},
    "POST /wallets": {"network": "EthereumSepolia"},
    "POST /wallets/{walletId}/transfers": {"kind": "Native", "to": TO, "amount": "1"},
}
KNOWN: Json = {**MOMENTS, "publicKey": PUBLIC_KEY, "tags": ["a"], "kind": "Key", "name": "one"}
# Where an answer has the id of what was made, if not in ``id``.
IDENTIFIERS = {
    "/auth/apps": "appId",
    "/auth/credentials": "credentialUuid",
    "/auth/pats": "tokenId",
    "/auth/service-accounts": "userInfo.userId",
    "/auth/users": "userId",
}


@dataclass(frozen=True)
class World:
    """One emulator with a user whose key both clients sign with."""

    emulator: Emulator
    caller: Caller
    signer: dfns_sdk.KeySigner
    direct: dfns_sdk.DfnsClient
    delegated: dfns_sdk.DfnsDelegatedClient

    def call(self, method: Method) -> Any:
        """What a method answers, with the entities of its path made before, and a minimal body."""
        arguments = self.arguments(method)
        if method.client == "direct":
            return method.of(self.direct)(**arguments)
        if not method.is_signed_outside:
            return method.of(self.delegated)(**arguments)
        challenge = method.of(self.delegated, "_init")(**arguments)
        signed = {
            "challengeIdentifier": challenge["challengeIdentifier"],
            "firstFactor": self.signer.sign(challenge),
        }
        return method.of(self.delegated, "_complete")(**arguments, signed_challenge=signed)

    def arguments(self, method: Method) -> Json:
        """What a method needs; the entities that its path goes through are made."""
        path = self.path_of(method.operation)
        identifiers = method.operation.parameters(path)
        if "query" in method.parameters and method.operation.path == "/payins/recipients":
            self.make("/payins/recipients")
        given: Json = {
            name: identifiers[placeholder]
            for name, placeholder in method.parameters.items()
            if placeholder
        }
        shapes = shapes_of(method.operation)
        if "body" in method.parameters:
            given["body"] = self.body_of(method.operation)
        if "query" in method.parameters:
            given["query"] = minimal(shapes.query or {}, self.known())
        if "file" in method.parameters:
            given["file"] = UPLOAD
        return given

    def known(self) -> Json:
        """What members of these names must be so that they mean something."""
        return {
            **KNOWN,
            "walletId": self.make("/wallets"),
            "identityId": self.emulator.user_id,
            "username": "emulator-user",
        }

    def body_of(self, operation: Operation) -> Json:
        """A minimal body; where a challenge must be signed for it, a correct one."""
        if str(operation) in FLOWS:
            return FLOWS[str(operation)](self)
        if str(operation) in BODIES:
            return BODIES[str(operation)]
        shapes = shapes_of(operation)
        if not shapes.is_declared:
            return {"name": "one"}
        body: Json = minimal(shapes.body or {}, self.known())
        return body

    def path_of(self, operation: Operation) -> str:
        """The path of an operation with the ids of entities that are there."""
        path = ""
        for segment in operation.path.split("/")[1:]:
            path += "/" + (self.segment(path, segment) if segment.startswith("{") else segment)
        return path

    def segment(self, collection: str, placeholder: str) -> str:
        if placeholder == "{network}":
            return "Canton"
        return "USD" if placeholder == "{asset}" else self.make(collection)

    def make(self, collection: str) -> str:
        """The id of a new entity of a collection, or of one that is there already."""
        if collection == "/auth/action/logs":
            lines = self.caller.get(f"{collection}?startTime=2026-01-01&endTime=2100-01-01").text
            return lines.splitlines()[1].split(",")[0]
        if collection == "/agreements":
            return self.agreement()
        operation = match_operation("POST", collection)
        if operation is None:
            listed = self.caller.get(collection).json()["items"]
            found = listed[0] if listed else self.emulator.entities.add(collection)
        else:
            found = answered(self.caller.call("POST", collection, self.body_of(operation)))
        template = match_operation("GET", collection)
        for name in IDENTIFIERS.get(template.path if template else "", "id").split("."):
            found = found[name]
        return quote(str(found), safe="")

    def agreement(self) -> str:
        """The id of an agreement that the user has not accepted."""
        kinds = ("PrivacyPolicy", "TermsAndConditions", "UniswapTermsOfService")
        path = "/agreements/latest-unaccepted?agreementType="
        found = [answered(self.caller.get(path + kind))["latestAgreement"] for kind in kinds]
        return next(str(one["id"]) for one in found if one)


def action(world: World) -> Json:
    """A signed challenge of a call."""
    return ACTION.correct(world.caller, ACTION.begin(world.caller))


def new_credential(world: World) -> Json:
    """The registration of a key under an id that nobody has."""
    body = REGISTRATION.correct(world.caller, REGISTRATION.begin(world.caller))
    body["credentialInfo"]["credId"] = f"cr-{len(world.emulator.requests)}"
    return body


def credential_to_change(world: World) -> Json:
    return {"credentialUuid": world.make("/auth/credentials")}


FLOWS: Mapping[str, Callable[[World], Json]] = {
    "POST /auth/action": action,
    "POST /auth/action/init": lambda _: {
        "userActionPayload": "",
        "userActionHttpMethod": "POST",
        "userActionHttpPath": "/wallets",
    },
    "POST /auth/credentials": new_credential,
    "PUT /auth/credentials/activate": credential_to_change,
    "PUT /auth/credentials/deactivate": credential_to_change,
}


@contextmanager
def official_world() -> Iterator[World]:
    """A world of its own."""
    key: PrivateKey = private_key("Ed25519")
    private = private_pem(key).decode()
    with Emulator(credentials={"cr-1": public_pem(public_key("Ed25519"))}) as emulator:
        signer = dfns_sdk.KeySigner("cr-1", private)
        token, url = emulator.auth_token, emulator.url
        direct = dfns_sdk.DfnsClientConfig(auth_token=token, base_url=url, signer=signer)
        outside = dfns_sdk.DfnsDelegatedClientConfig(auth_token=token, base_url=url)
        with (
            Caller(url, token, "cr-1", key) as caller,
            dfns_sdk.DfnsClient(direct) as client,
            dfns_sdk.DfnsDelegatedClient(outside) as delegated,
        ):
            yield World(emulator, caller, signer, client, delegated)
