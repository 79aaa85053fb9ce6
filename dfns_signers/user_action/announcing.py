"""The call that is announced for a request, before its challenge is signed."""

from __future__ import annotations

import httpx

from dfns_signers.announced_call import AnnouncedCall, new_call_id
from dfns_signers.errors import RequestError
from dfns_signers.user_action.bodies import JSON_TYPE, strict_json
from dfns_signers.user_action.request_extensions import CALL_ID_EXTENSION, CALLER_EXTENSION
from dfns_signers.user_action.sent_requests import progress_of


def announced_call(request: httpx.Request, path: str) -> AnnouncedCall:
    """The call that a request is, read off the request itself so that both cannot differ.

    Args:
        request: whose body was read; gets a ``Content-Type`` if it has a body and none.
        path: of the request, without the prefix of the base URL.

    Raises:
        RequestError: its body cannot be announced: it is not JSON, or not UTF-8, by its bytes or
            headers.
    """
    content = request.content
    if content:
        media_type = request.headers.setdefault("Content-Type", "application/json")
        if not JSON_TYPE.fullmatch(media_type) or "Content-Encoding" in request.headers:
            encoding = request.headers.get("Content-Encoding")
            packed = f" and the encoding {encoding!r}" if encoding else ""
            raise RequestError(
                f"{request.method} {path} has a body of type {media_type!r}{packed}; only JSON in "
                "UTF-8 can be announced in a user action"
            )
    try:
        payload = content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise RequestError(f"the body of {request.method} {path} is not UTF-8") from error
    if payload and progress_of(request) is None:
        _require_strict_json(request, path)
    return AnnouncedCall(
        request.method,
        path,
        payload,
        request.url.query.decode("ascii"),
        request.extensions.get(CALLER_EXTENSION),
        request.extensions.get(CALL_ID_EXTENSION) or new_call_id(),
    )


def _require_strict_json(request: httpx.Request, path: str) -> None:
    # A guard would read one value of a member that is given twice, and the API the other.
    try:
        strict_json(request.content)
    except ValueError as error:
        raise RequestError(
            f"the body of {request.method} {path} is not strict JSON: {error}"
        ) from error
