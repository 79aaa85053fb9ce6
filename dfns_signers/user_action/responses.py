"""From HTTP responses to JSON, or to errors that keep what the API said."""

from __future__ import annotations

import email.utils
import json
import math
import re
import time
from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeVar, cast

import httpx

from dfns_signers.errors import (
    ApiError,
    AuthenticationError,
    BadRequestError,
    ConflictError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitedError,
    ServerError,
    TransportError,
    TransportTimeoutError,
    UnexpectedResponseError,
)
from dfns_signers.user_action.signing_flow import USER_ACTION_HEADER

JsonT = TypeVar("JsonT")

_MAX_TEXT: Final = 2000
_NO_JSON: Final = object()
_SECRET_LENGTH: Final = 8  # a shorter one is none, and would be found within ordinary words
_READS: Final = frozenset({"GET", "HEAD"})
_BEFORE_SENDING: Final = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.ProxyError,
)
_ERRORS: Final[Mapping[int, tuple[type[ApiError], str]]] = {
    400: (BadRequestError, ""),
    401: (
        AuthenticationError,
        "Check that token and credential belong together and to the region of the base URL",
    ),
    403: (
        PermissionDeniedError,
        "Check the permissions of the token's identity, and that the call is signed",
    ),
    404: (NotFoundError, ""),
    409: (ConflictError, ""),
    429: (RateLimitedError, "Slow down; every signed call costs three requests"),
}


def read_json(response: httpx.Response, *, sent: httpx.Request, call: bool) -> Any:
    """The JSON of a successful response, or None if it is empty.

    Args:
        response: with its body read.
        sent: the request that was sent, to notice a redirect that somebody followed.
        call: whether this answers the call itself, not a step of its user action.

    Raises:
        ApiError: status 400 and up, as the class for that status.
        UnexpectedResponseError: a redirect, or a body that is not valid JSON.
    """
    reject_followed_redirect(response, sent, call=call)
    if response.is_error:
        raise api_error(response, call=call)
    if not response.is_success:
        raise _redirected(response, response.next_request, call=call)
    if not response.content:
        return None
    value = _parsed(response.content)
    if value is _NO_JSON:
        # Not within an except block: its error would carry the whole body along.
        raise _unexpected(response, "a body that is not JSON", call=call)
    return value


def _parsed(content: bytes) -> Any:
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        return _NO_JSON


def read_object(response: httpx.Response, *, sent: httpx.Request) -> Mapping[str, Any]:
    """Like ``read_json`` for a step of a user action, which always answers with an object."""
    value = read_json(response, sent=sent, call=False)
    if not isinstance(value, dict):
        raise _unexpected(response, "a body that is not a JSON object", call=False)
    return value


def reject_followed_redirect(response: httpx.Response, sent: httpx.Request, *, call: bool) -> None:
    """Refuse an answer that another request got: token or signature went along with it."""
    if response.request is not sent:
        raise _redirected(response, response.request, call=call)


def api_error(response: httpx.Response, *, call: bool) -> ApiError:
    """The error for a response with status 400 and up; never fails itself."""
    request, status = response.request, response.status_code
    kind, hint = _ERRORS.get(status, (ServerError if response.is_server_error else ApiError, ""))
    text = response.content.decode("utf-8", "replace")
    # What the server sent is searched as decoded: an escape would hide a secret from the search.
    envelope = _redacted(_envelope(text), request)
    message, error_id = envelope.get("message"), envelope.get("id")
    said = message if isinstance(message, str) and message else response.reason_phrase
    sentence = f"{request.method} {request.url.path} was answered with {status}: {said.rstrip('.')}"
    headers = {name: value for name, value in response.headers.items() if name != "set-cookie"}
    error = kind(
        _redacted(f"{sentence}. {hint}" if hint else sentence, request),
        status=status,
        error_id=error_id if isinstance(error_id, str) else None,
        details=envelope.get("details"),
        headers=_redacted(headers, request),
        body=_redacted(text, request)[:_MAX_TEXT],
        retry_after=_retry_after(response),
    )
    changes = request.method not in _READS
    error.may_have_taken_effect = call and changes and isinstance(error, ServerError)
    return error


def transport_error(error: httpx.RequestError, *, call: httpx.Request | None) -> TransportError:
    """Our error for a connection that failed or broke, on ``call`` or a step before it."""
    request, url = error.request, error.request.url
    if isinstance(error, httpx.TimeoutException):
        kind: type[TransportError] = TransportTimeoutError
        what = f"timed out ({type(error).__name__})"
    else:
        kind = TransportError
        what = f"failed: {_redacted(str(error), request) or type(error).__name__}"
    ours = kind(
        f"{request.method} {url.scheme}://{url.netloc.decode('ascii')}{url.path} {what}; check the "
        "network and 'base_url'"
    )
    was_sent = not isinstance(error, _BEFORE_SENDING)
    ours.may_have_taken_effect = request is call and was_sent and request.method not in _READS
    return ours


def _redirected(
    response: httpx.Response, target: httpx.Request | None, *, call: bool
) -> UnexpectedResponseError:
    where = f" to {target.url.host}" if target else ""
    return _unexpected(
        response, f"a redirect{where}, which is never followed; check 'base_url'", call=call
    )


def _unexpected(response: httpx.Response, what: str, *, call: bool) -> UnexpectedResponseError:
    request = response.request
    sentence = (
        f"{request.method} {request.url.path} was answered with {response.status_code} and {what} "
        f"(content type {response.headers.get('content-type', 'not given')!r})"
    )
    error = UnexpectedResponseError(_redacted(sentence, request))
    error.may_have_taken_effect = call and request.method not in _READS
    return error


def _redacted(value: JsonT, request: httpx.Request) -> JsonT:
    """The value without the secrets of the request, which a gateway's debug page may echo."""
    bearer = request.headers.get("authorization", "").removeprefix("Bearer ")
    secrets = [bearer, request.headers.get(USER_ACTION_HEADER, "")]
    return cast(JsonT, _without(value, [s for s in secrets if len(s) >= _SECRET_LENGTH]))


def _without(value: Any, secrets: Sequence[str]) -> Any:
    if isinstance(value, str):
        for secret in secrets:
            # Host names are shown in lower case.
            value = re.sub(re.escape(secret), "[redacted]", value, flags=re.IGNORECASE)
        return value
    if isinstance(value, Mapping):
        return {_without(k, secrets): _without(v, secrets) for k, v in value.items()}
    if isinstance(value, list):
        return [_without(item, secrets) for item in value]
    return value


def _envelope(text: str) -> Mapping[str, Any]:
    """The error object: under ``error``, or the top level, or a bare text under ``error``."""
    match value := _parsed(text.encode("utf-8")):
        case {"error": dict(error)}:
            return error
        case {"error": str(error)}:
            return {**value, "message": value.get("message") or error}
        case dict():
            return value
    return {}


def _retry_after(response: httpx.Response) -> float | None:
    """``Retry-After`` in seconds, from delta-seconds or an HTTP date."""
    value = response.headers.get("retry-after", "")
    try:
        seconds = float(value)
    except ValueError:
        try:
            moment = email.utils.parsedate_to_datetime(value)
            seconds = moment.timestamp() - time.time()
        except (ValueError, OverflowError):
            return None
    return max(0.0, seconds) if math.isfinite(seconds) else None
