"""The bodies of ``/auth/action/init`` and ``/auth/action``, strictly read."""

from __future__ import annotations

import json
from hashlib import sha256
from typing import Any, Literal, TypeVar

from pydantic import ValidationError

from dfns_signers.backends.options import StrictModel
from dfns_signers.gateway.requests.grammar import split_target
from dfns_signers.gateway.requests.messages import Refusal
from dfns_signers.user_action.bodies import strict_json

_Body = TypeVar("_Body", bound=StrictModel)


class Announcement(StrictModel):
    """The body of ``/auth/action/init``: names a call that is to be signed."""

    userActionPayload: str  # noqa: N815  # as the API has it, here and below
    userActionHttpMethod: Literal["POST", "PUT", "DELETE", "GET"]  # noqa: N815
    userActionHttpPath: str  # noqa: N815
    userActionServerKind: Literal["Api"] = "Api"  # noqa: N815

    def target(self) -> tuple[str, str]:
        """Path and query.

        Raises:
            Refusal: 400, the path is not in the form that requests have.
        """
        return split_target(self.userActionHttpPath)


class Completion(StrictModel):
    """The body of ``/auth/action``: a challenge, and the signature that answers it."""

    challengeIdentifier: str  # noqa: N815
    firstFactor: dict[str, Any]  # noqa: N815


def read_body(model: type[_Body], body: bytes) -> _Body:
    """Read a body of JSON.

    Raises:
        Refusal: 400; no value of the body is repeated.
    """
    try:
        return model.model_validate(strict_json(body), strict=True)
    except ValidationError as error:
        places = {".".join(map(str, one["loc"])) or "body" for one in error.errors()}
        raise Refusal(
            400,
            "user-action-body",
            f"wrong, missing, or not known to the API: {', '.join(sorted(places))[:200]}",
        ) from None
    except ValueError as error:
        raise Refusal(400, "user-action-body", "the body is not strict JSON") from error


def call_digest(method: str, path: str, query: str, payload: str | bytes) -> bytes:
    """SHA-256 of a call; payloads that are the same JSON have the same.

    Args:
        method: upper-case HTTP method.
        path: without query.
        query: without ``?``; ``""`` for none.
        payload: JSON; ``""`` is the same as ``{}``, for which SDKs announce either.

    Raises:
        Refusal: 400, the payload is not strict JSON.
    """
    parts = (method, path, query, _canonical(payload))
    return sha256(b"".join(sha256(part.encode()).digest() for part in parts)).digest()


def _canonical(payload: str | bytes) -> str:
    """The same for the same JSON: without order of members, white space, and escapes."""
    try:
        strict_json(payload or "{}")
    except ValueError as error:
        raise Refusal(400, "payload", "the payload is not strict JSON") from error
    # Numbers stay as they are written: as floats, amounts would agree that differ far behind.
    value = json.loads(
        payload or "{}",
        parse_int=str.encode,
        parse_float=str.encode,
        object_pairs_hook=lambda pairs: dict(sorted(pairs)),
    )
    return repr(value)
