"""Requests as they arrive, answers as they leave, and refusals in the documented envelope."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Final, Literal, TypeAlias

from dfns_signers.emulator.requests.wire import new_id

SECRET_HEADERS: Final = frozenset({"authorization", "x-dfns-useraction"})
PLACEHOLDER: Final = "(removed)"
QUOTED_CHARACTERS: Final = 200

CheckName: TypeAlias = Literal[
    "approval.approver", "approval.decided", "approval.resolved", "attestation.credId",
    "attestation.format", "attestation.hex", "attestation.json", "attestation.object",
    "attestation.statement", "authenticatorData", "authenticatorData.backup",
    "authenticatorData.counter", "authenticatorData.rpId", "authenticatorData.userPresent",
    "authenticatorData.userVerified", "base64url", "body.checksum", "body.json", "body.parts",
    "body.size", "body.type", "challenge.expired", "challenge.foreign", "challenge.unknown",
    "challenge.used", "clientData.challenge", "clientData.crossOrigin", "clientData.json",
    "clientData.object", "clientData.origin", "clientData.type", "code", "credential.disabled",
    "credential.foreign", "credential.kind", "credential.taken", "credential.unknown", "entity",
    "externalId", "field.exclusive", "field.missing", "field.unknown", "field.value", "key.curve",
    "key.delegation", "key.network", "key.owner", "key.scheme", "method", "network", "otpCode",
    "password", "path", "permission.immutable", "permission.missing", "policy.blocked",
    "publicKey", "query.limit", "query.paginationToken", "query.repeated", "rateLimit",
    "secondFactor.missing", "secondFactor.same", "signature.encoding", "signature.value",
    "status", "token.deactivated", "token.expired", "token.malformed", "token.missing",
    "token.purpose", "token.serviceAccount", "token.session", "token.unknown", "token.user",
    "typedData", "user.registered", "user.unregistered", "userAction.expired",
    "userAction.foreign", "userAction.method", "userAction.missing", "userAction.path",
    "userAction.payload", "userAction.repeated", "userAction.unknown", "userAction.used",
    "userHandle", "webhook.count",
]  # fmt: skip
"""Every check that can refuse a request; docs/emulator-refusals.md says what each refuses."""


@dataclass(frozen=True, slots=True)
class ReceivedRequest:
    """A request that reached the emulator.

    Attributes:
        method: HTTP method.
        raw_path: the path as it was sent, percent-encoding included, without the query.
        query: the query string as it was sent.
        headers: names in lower case; tokens are replaced by a placeholder.
        body: the bytes of the body; empty when it was too large.
    """

    method: str
    raw_path: str
    query: str
    headers: Mapping[str, str]
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Incoming:
    """A request with everything that was sent, tokens included."""

    method: str
    raw_path: str
    query: str
    headers: tuple[tuple[str, str], ...] = field(repr=False)
    body: bytes = field(repr=False)
    oversized: bool = False

    def header(self, name: str) -> list[str]:
        """All values of the header of this lower-case name."""
        return [value for key, value in self.headers if key == name]

    @property
    def bearer(self) -> str:
        """The bearer token, whether or not it is in force; empty if there is none."""
        return next(iter(self.header("authorization")), "").rpartition(" ")[2]

    def without_secrets(self) -> ReceivedRequest:
        """The same request as tests may see it."""
        headers: dict[str, str] = {}
        for name, value in self.headers:
            if name in SECRET_HEADERS:
                headers[name] = PLACEHOLDER
            else:
                headers[name] = f"{headers[name]}, {value}" if name in headers else value
        return ReceivedRequest(self.method, self.raw_path, self.query, headers, self.body)


@dataclass(frozen=True, slots=True)
class Answer:
    """What is sent back.

    Attributes:
        later: makes the answer that is sent instead; no other request waits for it.
    """

    content: bytes = field(repr=False)
    status: int = HTTPStatus.OK
    headers: Mapping[str, str] = field(default_factory=dict)
    media_type: str = "application/json"
    later: Callable[[], Answer] | None = field(default=None, repr=False)


def json_answer(
    value: Any, status: int = HTTPStatus.OK, headers: Mapping[str, str] | None = None
) -> Answer:
    """An answer with a JSON body."""
    content = json.dumps(value, separators=(",", ":")).encode("ascii")
    return Answer(content, status, headers or {})


class Refusal(Exception):  # noqa: N818 - a refusal is what the emulator is for, not an error of it
    """A request that is answered with an error.

    Attributes:
        status: HTTP status code.
        check: name of the check that refused; sent as ``error.details.check``.
        details: what else is sent in ``error.details``.
        headers: response headers.
    """

    def __init__(
        self,
        status: HTTPStatus,
        check: CheckName,
        message: str,
        *,
        headers: Mapping[str, str] | None = None,
        **details: Any,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.check = check
        self.details = details
        self.headers = headers

    def answer(self) -> Answer:
        """The refusal as the documented envelope."""
        error = {
            "id": new_id("err"),
            "status": int(self.status),
            "message": str(self),
            "details": {"check": self.check, **self.details},
        }
        return json_answer({"error": error}, self.status, self.headers)


def bad_request(check: CheckName, message: str, **details: Any) -> Refusal:
    """400."""
    return Refusal(HTTPStatus.BAD_REQUEST, check, message, **details)


def unauthorized(check: CheckName, message: str, **details: Any) -> Refusal:
    """401."""
    return Refusal(HTTPStatus.UNAUTHORIZED, check, message, **details)


def forbidden(check: CheckName, message: str, **details: Any) -> Refusal:
    """403."""
    return Refusal(HTTPStatus.FORBIDDEN, check, message, **details)


def not_found(noun: str, identifier: str) -> Refusal:
    """404 for an entity."""
    return Refusal(
        HTTPStatus.NOT_FOUND, "entity", f"{noun} {quoted(identifier)} not found.", kind=noun
    )


def quoted(text: str) -> str:
    """The text in quotes, cut to a length that suits an error message."""
    if len(text) <= QUOTED_CHARACTERS:
        return f'"{text}"'
    return f'"{text[:QUOTED_CHARACTERS]}"... ({len(text)} characters)'


def one_line(text: str) -> str:
    """The text with escapes for what is not printable, such as the end of a line."""
    return "".join(
        one if one.isprintable() else one.encode("unicode_escape").decode("ascii") for one in text
    )


def shortened(text: str) -> str:
    """The text, cut to a length that suits an error message."""
    return text if len(text) <= QUOTED_CHARACTERS else f"{text[:QUOTED_CHARACTERS]}..."
