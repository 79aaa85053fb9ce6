"""From HTTP responses to JSON, or to errors that keep what the API said."""

from __future__ import annotations

import contextlib
import email.utils
import math
import re
import time
from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeVar, cast

import httpx

from dfns_signers import deadlines
from dfns_signers.bounded_json import bounded_json
from dfns_signers.errors import (
    ApiError,
    AuthenticationError,
    BadRequestError,
    ConflictError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitedError,
    RequestTimeoutError,
    ServerError,
    TransportError,
    TransportTimeoutError,
    UnexpectedResponseError,
)
from dfns_signers.key_store import quoted
from dfns_signers.user_action.bounded_bodies import limit_body
from dfns_signers.user_action.sent_requests import READS
from dfns_signers.user_action.signing_flow import COMPLETE_PATH, USER_ACTION_HEADER, advice

JsonT = TypeVar("JsonT")

_MAX_ANSWER: Final = 8 * 2**20
_MAX_ANSWER_OF_STEP: Final = 2**20
_MAX_ERROR: Final = 64 * 2**10
"""Bytes of a body that are read, unpacked; an error is cut there, anything else refused."""

IS_LATE: Final = "did not end within the time of the call ('call_timeout')"

_MAX_OBJECTS: Final = 200_000  # each takes 25 times the memory of its two bytes
_MAX_TEXT: Final = 2000
_MAX_DEPTH: Final = 32
"""Levels of the JSON of an error that are kept; what is deeper is None."""
_NO_JSON: Final = object()
_SECRET_LENGTH: Final = 8  # a shorter one is none, and would be found within ordinary words
_USED: Final = re.compile("user action has already been used", re.IGNORECASE)
_NAME_THE_SIGNATURE: Final = frozenset({400, 401, 403})
_NAME_THE_SIGNER: Final = frozenset({401, 403})
BEFORE_SENDING: Final = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.ProxyError,
)
"""Errors of httpx that come before a request is sent."""
_MISSING_PERMISSION: Final = re.compile(r"not authorized to perform operation \((\w[\w:]{0,99})\)")
"""Wording of the Dfns docs."""
_UNTRUSTED: Final = "CERTIFICATE_VERIFY_FAILED"
"""OpenSSL's name for it."""
_TRUST: Final = (
    "check 'base_url', and set SSL_CERT_FILE to the certificate of the authority if it is your own"
)
_ASSIGNMENT: Final = "POST /permissions/{permissionId}/assignments"
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
    408: (RequestTimeoutError, ""),
    409: (ConflictError, ""),
    429: (RateLimitedError, "Slow down; every signed call costs three requests"),
}


def bounded(response: httpx.Response, *, call: bool) -> httpx.Response:
    """Limit what is read of a body; returns the response.

    Reading it raises UnexpectedResponseError where it is too long, damaged, or packed in a way that
    was not asked for. The body of an error ends there instead.

    Args:
        response: with its body not read.
        call: as for ``read_json``.
    """
    if not response.is_success:
        return limit_body(response, _MAX_ERROR)
    return limit_body(
        response,
        _MAX_ANSWER if call else _MAX_ANSWER_OF_STEP,
        lambda what: _unexpected(response, what, call=call),
    )


def read_json(
    response: httpx.Response, *, sent: httpx.Request, call: bool, signer: object = None
) -> Any:
    """The JSON of a successful response, or None if it is empty.

    Args:
        response: with its body read.
        sent: the request that was sent, to notice a redirect that somebody followed.
        call: whether this answers the call itself, not a step of its user action.
        signer: who signed or is to sign, for errors to name; None if nobody or unknown.

    Raises:
        ApiError: status 400 and up, as the class for that status.
        UnexpectedResponseError: a redirect, or a body that is not valid JSON.
    """
    reject_followed_redirect(response, sent, call=call)
    if response.is_error:
        raise api_error(response, call=call, signer=signer)
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
    if content.count(b"{") + content.count(b"[") > _MAX_OBJECTS:
        return _NO_JSON
    try:
        return bounded_json(content)
    except ValueError:
        return _NO_JSON


def read_object(
    response: httpx.Response, *, sent: httpx.Request, signer: object = None
) -> Mapping[str, Any]:
    """Like ``read_json`` for a step of a user action, which always answers with an object."""
    value = read_json(response, sent=sent, call=False, signer=signer)
    if not isinstance(value, dict):
        raise _unexpected(response, "a body that is not a JSON object", call=False)
    return value


def reject_followed_redirect(response: httpx.Response, sent: httpx.Request, *, call: bool) -> None:
    """Refuse an answer that another request got: token or signature went along with it."""
    if response.request is not sent:
        raise _redirected(response, response.request, call=call)


def api_error(response: httpx.Response, *, call: bool, signer: object = None) -> ApiError:
    """The error for a response with status 400 and up; never fails itself."""
    request, status = response.request, response.status_code
    text = response.content.decode("utf-8", "replace")
    # What the server sent is searched as decoded: an escape would hide a secret from the search.
    envelope = _redacted(_envelope(text), request)
    message, error_id = envelope.get("message"), envelope.get("id")
    said = message if isinstance(message, str) and message else response.reason_phrase
    kind, hint = _ERRORS.get(status, (ServerError if response.is_server_error else ApiError, ""))
    missing = _MISSING_PERMISSION.search(said) if kind is PermissionDeniedError else None
    if missing:
        hint = f"Assign a permission with {missing[1]} to the token's identity ({_ASSIGNMENT})"
    if isinstance(error_id, str) and error_id.startswith("gw-"):  # a gateway says what to do
        hint = ""
    elif signer is not None:
        is_of_signature = not call and request.url.path.endswith(COMPLETE_PATH)
        hint = _naming(signer, status, hint, is_of_signature=is_of_signature)
    sentence = f"{request.method} {request.url.path} was answered with {status}: {quoted(said)}"
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
    # A user action is fresh for each attempt: if it was used, somebody in between sent it twice.
    is_late = isinstance(error, (ServerError, RequestTimeoutError)) or _USED.search(said)
    error.may_have_taken_effect = call and request.method not in READS and bool(is_late)
    return error


def _naming(signer: object, status: int, hint: str, *, is_of_signature: bool) -> str:
    """The hint of an error that the signer may be the reason of."""
    if is_of_signature:
        named = status in _NAME_THE_SIGNATURE
        return f"The signature was made by the signer {advice(signer)}" if named else hint
    return f"{hint}. Signer: {advice(signer)}" if status in _NAME_THE_SIGNER else hint


def transport_error(
    error: httpx.RequestError, *, request: httpx.Request, may_have_been_sent: bool
) -> TransportError:
    """Our error for a connection that failed or broke.

    Args:
        error: which may name the request that it happened to.
        request: the call, for an error that names none.
        may_have_been_sent: whether the call itself had been handed over to be sent.
    """
    with contextlib.suppress(RuntimeError):
        request = error.request
    url = request.url
    if isinstance(error, httpx.TimeoutException):
        kind: type[TransportError] = TransportTimeoutError
        is_late = deadlines.remaining() == 0
        what = IS_LATE if is_late else f"timed out ({type(error).__name__})"
    else:
        kind = TransportError
        what = f"failed: {quoted(_redacted(str(error), request)) or type(error).__name__}"
    remedy = _TRUST if _UNTRUSTED in str(error) else "check the network and 'base_url'"
    ours = kind(
        f"{request.method} {url.scheme}://{url.netloc.decode('ascii')}{url.path} {what}; {remedy}"
    )
    ours.may_have_taken_effect = may_have_been_sent and not isinstance(error, BEFORE_SENDING)
    return ours


def answer_of_a_step(response: httpx.Response, path: str) -> UnexpectedResponseError:
    """The error for a call that got what a step of a user action is answered with."""
    return _unexpected(response, f"the answer to another request than {path}", call=True)


def _redirected(
    response: httpx.Response, target: httpx.Request | None, *, call: bool
) -> UnexpectedResponseError:
    where = f" to {quoted(target.url.host)}" if target else ""
    return _unexpected(
        response, f"a redirect{where}, which is never followed; check 'base_url'", call=call
    )


def _unexpected(response: httpx.Response, what: str, *, call: bool) -> UnexpectedResponseError:
    request = response.request
    sentence = (
        f"{request.method} {request.url.path} was answered with {response.status_code} and {what} "
        f"(content type {quoted(response.headers.get('content-type', 'not given'))!r})"
    )
    error = UnexpectedResponseError(_redacted(sentence, request))
    error.may_have_taken_effect = call and request.method not in READS
    return error


def _redacted(value: JsonT, request: httpx.Request) -> JsonT:
    """The value without the secrets of the request, which a gateway's debug page may echo."""
    bearer = request.headers.get("authorization", "").removeprefix("Bearer ")
    secrets = [bearer, request.headers.get(USER_ACTION_HEADER, "")]
    return cast(JsonT, _without(value, [s for s in secrets if len(s) >= _SECRET_LENGTH]))


def _without(value: Any, secrets: Sequence[str], depth: int = 0) -> Any:
    if depth > _MAX_DEPTH:
        return None
    if isinstance(value, str):
        for secret in secrets:
            # Host names are shown in lower case.
            value = re.sub(re.escape(secret), "[redacted]", value, flags=re.IGNORECASE)
        return value
    if isinstance(value, Mapping):
        return {_without(k, secrets): _without(v, secrets, depth + 1) for k, v in value.items()}
    if isinstance(value, list):
        return [_without(item, secrets, depth + 1) for item in value]
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
