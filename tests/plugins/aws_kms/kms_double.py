"""A strict double of the AWS KMS JSON API: it refuses what AWS would, and fails as a test chooses.

Members and required members of a request come from botocore's model of the service; rules and
wording of refusals from the API reference and from reports of the real service.
"""

from __future__ import annotations

import base64
import json
import uuid
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from threading import Event
from typing import Any

import botocore.session

from dfns_signers.closing import Closing
from tests.core.keys import public_der
from tests.plugins.aws_kms.http_double import JSON, HttpDouble, Raw, Reply, Request
from tests.plugins.aws_kms.kms_keys import SIGNING_ALGORITHMS, StoredKey, stored_key

REGION = "eu-west-1"
ACCOUNT = "111122223333"
MODEL = botocore.session.get_session().get_service_model("kms")

Members = Mapping[str, Any]
Fault = Callable[[Callable[[], Reply]], Reply | Raw | None]
"""Gets what would answer the request, and answers in its place; None cuts the connection."""


class RefusedError(Exception):
    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.reply = _json({"__type": code, "message": message}, status)


@dataclass
class KmsDouble(Closing):
    """AWS KMS with the keys that a test puts in."""

    keys: dict[str, StoredKey] = field(default_factory=dict)
    aliases: dict[str, str] = field(default_factory=dict)
    faults: dict[str, deque[Fault]] = field(default_factory=dict)
    calls: list[tuple[str, Members]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.http = HttpDouble(self._answer)
        self.url = self.http.url

    def close(self) -> None:
        self.http.close()

    def add(self, spec: str, *, alias: str | None = None, **changes: Any) -> str:
        """Put in a key; returns its ARN."""
        arn = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/{uuid.uuid4()}"
        self.keys[arn] = stored_key(spec, **changes)
        if alias:
            self.aliases[alias] = arn
        return arn

    def fail(self, operation: str, *faults: Fault) -> None:
        """Have the next requests for an operation fail, one after the other."""
        self.faults.setdefault(operation, deque()).extend(faults)

    def members(self, operation: str) -> list[Members]:
        """The members of each request for an operation so far."""
        return [members for called, members in self.calls if called == operation]

    def _answer(self, request: Request) -> Reply | Raw | None:
        try:
            operation, members = _checked(request)
            self.calls.append((operation, members))
            waiting = self.faults.get(operation)
            if waiting:
                return waiting.popleft()(lambda: self._carry_out(operation, members))
            return self._carry_out(operation, members)
        except RefusedError as refusal:
            return refusal.reply

    def _carry_out(self, operation: str, members: Members) -> Reply:
        handlers = {
            "GetPublicKey": self._get_public_key,
            "DescribeKey": self._describe_key,
            "Sign": self._sign,
            "CreateKey": self._create_key,
            "CreateAlias": self._create_alias,
            "ListKeys": self._list_keys,
            "ListAliases": self._list_aliases,
        }
        return _json(handlers[operation](members))

    def _find(self, key_id: str) -> tuple[str, StoredKey]:
        prefix = f"arn:aws:kms:{REGION}:{ACCOUNT}:"
        name = key_id.removeprefix(prefix)
        arn = self.aliases.get(name, f"{prefix}key/{name.removeprefix('key/')}")
        if arn not in self.keys:
            kind = "Alias" if name.startswith("alias/") else "Key"
            raise RefusedError("NotFoundException", f"{kind} '{prefix}{name}' does not exist")
        return arn, self.keys[arn]

    def _get_public_key(self, members: Members) -> dict[str, Any]:
        arn, key = self._find(members["KeyId"])
        return {
            "KeyId": arn,
            "PublicKey": base64.b64encode(public_der(key.private_key.public_key())).decode(),
            "KeySpec": key.spec,
            "KeyUsage": key.usage,
            "SigningAlgorithms": SIGNING_ALGORITHMS.get(key.spec, []),
        }

    def _describe_key(self, members: Members) -> dict[str, Any]:
        arn, key = self._find(members["KeyId"])
        return {"KeyMetadata": _metadata(arn, key)}

    def _sign(self, members: Members) -> dict[str, Any]:
        arn, key = self._find(members["KeyId"])
        if key.state == "Disabled":
            raise RefusedError("DisabledException", f"{arn} is disabled.")
        if key.state != "Enabled":
            raise RefusedError("KMSInvalidStateException", f"{arn} is pending deletion.")
        algorithm = members["SigningAlgorithm"]
        if algorithm not in SIGNING_ALGORITHMS.get(key.spec, []):
            raise RefusedError(
                "InvalidKeyUsageException",
                f"Algorithm {algorithm} is incompatible with key spec {key.spec}.",
            )
        message = base64.b64decode(members["Message"], validate=True)
        kind = members.get("MessageType", "RAW")
        _check_message(message, kind, algorithm)
        if members.get("DryRun"):
            raise RefusedError(
                "DryRunOperationException",
                "The request would have succeeded, but the DryRun option is set.",
                412,
            )
        return {
            "KeyId": arn,
            "SigningAlgorithm": algorithm,
            "Signature": base64.b64encode(key.sign(message, kind)).decode(),
        }

    def _create_key(self, members: Members) -> dict[str, Any]:
        made = {"usage": members["KeyUsage"], "description": members["Description"]}
        arn = self.add(members["KeySpec"], multi_region=members["MultiRegion"], **made)
        return {"KeyMetadata": _metadata(arn, self.keys[arn])}

    def _create_alias(self, members: Members) -> dict[str, Any]:
        arn, _ = self._find(members["TargetKeyId"])
        if members["AliasName"] in self.aliases:
            raise RefusedError("AlreadyExistsException", "An alias with the name already exists")
        self.aliases[members["AliasName"]] = arn
        return {}

    def _list_keys(self, members: Members) -> dict[str, Any]:
        entries = [{"KeyId": _id(arn), "KeyArn": arn} for arn in self.keys]
        return _page("Keys", entries, members)

    def _list_aliases(self, members: Members) -> dict[str, Any]:
        entries = [{"AliasName": n, "TargetKeyId": _id(arn)} for n, arn in self.aliases.items()]
        return _page("Aliases", entries, members)


def refuse(code: str, message: str, status: int = 400) -> Fault:
    """The error that AWS answers with."""
    return lambda _: RefusedError(code, message, status).reply


def cut(_: Callable[[], Reply]) -> None:
    """The connection is cut without an answer."""


def lost(carry_out: Callable[[], Reply]) -> None:
    """The request is carried out, and the connection cut before the answer."""
    carry_out()


def wait_for(event: Event) -> Fault:
    """No answer until the test says so; none at all after that."""

    def wait(_: Callable[[], Reply]) -> None:
        event.wait(30)

    return wait


def answer(body: bytes, status: int = 200, content_type: str = JSON) -> Fault:
    """Something else than AWS answers."""
    return lambda _: Reply(status, body, content_type)


def raw(*pieces: bytes) -> Fault:
    """These bytes over the wire, head and body."""
    return lambda _: Raw(pieces)


def altered(**changes: Any) -> Fault:
    """The answer with other members; None takes one away."""

    def alter(carry_out: Callable[[], Reply]) -> Reply:
        members = json.loads(carry_out().body) | changes
        return _json({name: value for name, value in members.items() if value is not None})

    return alter


def _checked(request: Request) -> tuple[str, Members]:
    """Operation and members of a request that AWS would accept."""
    target = request.headers.get("x-amz-target", "")
    service, _, operation = target.partition(".")
    if (request.method, request.path, service) != ("POST", "/", "TrentService"):
        raise RefusedError("UnknownOperationException", f"{request.method} {request.path} {target}")
    if request.headers.get("content-type") != JSON:
        raise RefusedError("UnknownOperationException", "wrong content type")
    if (request.region, request.service) != (REGION, "kms"):
        raise RefusedError(
            "InvalidSignatureException", "Credential should be scoped to a valid region."
        )
    members = json.loads(request.body)
    shape: Any = MODEL.operation_model(operation).input_shape
    unknown = set(members) - set(shape.members)
    missing = set(shape.required_members) - set(members)
    if unknown or missing:
        raise RefusedError("SerializationException", f"unknown {unknown}, missing {missing}")
    return operation, members


def _check_message(message: bytes, kind: str, algorithm: str) -> None:
    if algorithm == "ED25519_SHA_512" and kind != "RAW":
        raise RefusedError("ValidationException", f"Message type {kind} is incompatible")
    if kind == "DIGEST" and len(message) != 32:
        raise RefusedError(
            "ValidationException", f"Digest is invalid length for algorithm {algorithm}."
        )
    if len(message) > 4096:
        raise RefusedError(
            "ValidationException",
            "1 validation error detected: Value at 'message' failed to satisfy constraint: Member "
            "must have length less than or equal to 4096",
        )


def _metadata(arn: str, key: StoredKey) -> dict[str, Any]:
    metadata: dict[str, Any] = {
        "Arn": arn,
        "KeyId": _id(arn),
        "KeySpec": key.spec,
        "KeyUsage": key.usage,
    }
    metadata |= {"Description": key.description, "MultiRegion": key.multi_region}
    pending = {"DeletionDate": 1798761600} if key.state == "PendingDeletion" else {}
    return {**metadata, "KeyState": key.state, **pending}


def _page(member: str, entries: list[dict[str, Any]], members: Members) -> dict[str, Any]:
    """One entry a page, so that a client that reads a single page is found out."""
    start = int(members.get("Marker", "0"))
    if start + 1 < len(entries):
        following = {"Truncated": True, "NextMarker": str(start + 1)}
        return {member: entries[start : start + 1], **following}
    return {member: entries[start : start + 1], "Truncated": False}


def _id(arn: str) -> str:
    return arn.rpartition("/")[2]


def _json(members: Members, status: int = 200) -> Reply:
    headers = {"x-amzn-RequestId": str(uuid.uuid4())}
    return Reply(status, json.dumps(members).encode(), JSON, headers)
