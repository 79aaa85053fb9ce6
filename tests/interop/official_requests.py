"""What a correct request of each operation is, with the entities that it needs made before."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from dfns_signers.operations import Operation, match_operation, shapes_of
from tests.emulator.flows import NEW, Json
from tests.emulator.keys import pem
from tests.interop.official_flows import FLOWS
from tests.interop.official_world import ALICE, NETWORK, TO, USER, Who, World
from tests.interop.shape_values import MOMENTS, minimal

UPLOAD: Final = b"output of an offline signer"
PUBLIC_KEY: Final = pem(NEW)
POLICY: Final[Json] = {
    "name": "one",
    "activityKind": "Wallets:Sign",
    "rule": {"kind": "AlwaysTrigger"},
    "action": {
        "kind": "RequestApproval",
        "approvalGroups": [{"quorum": 1, "approvers": {"userId": {"in": ["us-1"]}}}],
    },
}
SIGNATURE: Final[Json] = {"kind": "Hash", "hash": "0x" + "11" * 32}
SCHEMES: Final[Json] = {
    "encryptionKey": "k",
    "supportedSchemes": [{"protocol": "CGGMP24", "curve": "secp256k1"}],
}
SHARES: Final[Json] = {
    "curve": "ed25519",
    "protocol": "FROST",
    "minSigners": 3,
    "encryptedKeyShares": [{"signerId": "s", "encryptedKeyShare": "x"}],
}
KEY: Final[Json] = {"scheme": "ECDSA", "curve": "secp256k1", "delayDelegation": True}
# What the emulator checks beyond the declared shape.
BODIES: Final[Mapping[str, Json]] = {
    "POST /auth/credentials/code": {"expiration": "2100-01-01T00:00:00Z"},
    "POST /auth/service-accounts/credentials": {"publicKey": PUBLIC_KEY},
    "POST /auth/tokens": {"target": "or-1"},
    "POST /auth/users": {"email": ALICE, "kind": "CustomerEmployee"},
    "POST /auth/users/invite": {"email": ALICE},
    "POST /permissions": {"name": "one", "operations": ["Wallets:Read"]},
    "PUT /permissions/{permissionId}": {"operations": ["Wallets:Read"]},
    "POST /v2/policies": POLICY,
    "PUT /v2/policies/{policyId}": POLICY,
    "POST /keys": KEY,
    "POST /keys/import": SHARES,
    "POST /keys/{keyId}/export": SCHEMES,
    "POST /keys/{keyId}/signatures": SIGNATURE,
    "POST /wallets": {"network": NETWORK, "delayDelegation": True},
    "POST /wallets/bulk-create": {"network": NETWORK, "count": 2, "name": "one"},
    "POST /wallets/import": {**SHARES, "network": "Solana"},
    "POST /wallets/{walletId}/export": SCHEMES,
    "POST /wallets/{walletId}/signatures": SIGNATURE,
    "POST /wallets/{walletId}/transfers": {"kind": "Native", "to": TO, "amount": "1"},
    "POST /webhooks": {"url": "http://127.0.0.1:9/", "events": ["wallet.created"]},
}
# Of what an operation is asked for, where not any entity will do.
OF: Final[Mapping[str, Json]] = {
    "POST /keys/{keyId}/derive": {"scheme": "DH", "curve": "secp256k1"},
}
# They are possible once a transaction is broadcast.
REPLACED: Final = tuple(
    f"/{{{one}Id}}/{verb}" for one in ("transfer", "transaction") for verb in ("cancel", "speed-up")
)


@dataclass(frozen=True)
class Request:
    """What a client is given for one call.

    Attributes:
        who: its token and credential.
        parameters: of the path.
    """

    operation: Operation
    who: Who
    parameters: Mapping[str, str]
    query: Json
    body: Any

    @property
    def path(self) -> str:
        """The path with the parameters in their places."""
        path = self.operation.path
        for name, value in self.parameters.items():
            path = path.replace(f"{{{name}}}", value)
        return path


def request_of(world: World, operation: Operation) -> Request:
    """A correct request; the entities that its path goes through are made."""
    path = _path(world, operation)
    if operation.path == "/payins/recipients":
        _make(world, "/payins/recipients")
    request = Request(
        operation,
        world.who(operation),
        operation.parameters(path),
        minimal(shapes_of(operation).query or {}, _known(world)),
        None,
    )
    flow = FLOWS.get(str(operation))
    if flow is None:
        return replace(request, body=body_of(world, operation))
    body, token = flow(world)
    who = Who(token, request.who.credential_id) if token else request.who
    return replace(request, body=body, who=who)


def body_of(world: World, operation: Operation) -> Json:
    """A minimal body of an operation that needs no challenge to be signed for it."""
    if str(operation) in BODIES:
        return BODIES[str(operation)]
    shapes = shapes_of(operation)
    if not shapes.is_declared:
        return {"name": "one"}
    body: Json = minimal(shapes.body or {}, _known(world))
    return body


def _known(world: World) -> Json:
    """What members of these names must be so that they mean something."""
    user_id = world.emulator.user_id
    return {
        **MOMENTS,
        "publicKey": PUBLIC_KEY,
        "tags": ["a"],
        "kind": "Key",
        "name": "one",
        "walletId": _make(world, "/wallets"),
        "identityId": user_id,
        "delegateTo": user_id,
        "userId": user_id,
        "username": USER,
        "orgId": world.emulator.org_id,
    }


def _path(world: World, operation: Operation) -> str:
    """The path of an operation with the ids of entities that are there."""
    path = ""
    for segment in operation.path.split("/")[1:]:
        is_id = segment.startswith("{")
        path += "/" + (_segment(world, operation, path, segment) if is_id else segment)
    if str(operation).endswith(REPLACED):
        _broadcast(world, path)
    return path


def _broadcast(world: World, path: str) -> None:
    """Let a transfer or transaction be executed and broadcast."""
    for _ in range(2):
        world.emulator.progress.step(path.split("/")[-2])


def _segment(world: World, operation: Operation, collection: str, placeholder: str) -> str:
    if placeholder == "{network}":
        return "Canton"
    if placeholder == "{asset}":
        return "USD"
    return _make(world, collection, OF.get(str(operation)))


def _make(world: World, collection: str, body: Json | None = None) -> str:
    """The id of a new entity of a collection, or of one that is there already."""
    listing = match_operation("GET", collection)
    if listing and listing.path in SPECIAL:
        return SPECIAL[listing.path](world, collection)
    if collection == "/agreements":
        return world.agreement()
    operation = match_operation("POST", collection)
    if operation is None:
        return world.listed(collection)
    if str(operation) in FLOWS:
        return world.identifier(collection, FLOWS[str(operation)](world)[0])
    return world.identifier(collection, body or body_of(world, operation))


SPECIAL: Final[Mapping[str, Callable[[World, str], str]]] = {
    "/auth/action/logs": World.audit_log,
    "/v2/policy-approvals": World.approval,
    "/webhooks/{webhookId}/events": World.webhook_event,
}
