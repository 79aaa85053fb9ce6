"""The two headers that a call is allowed by: the bearer token, and ``X-DFNS-USERACTION``."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final, Literal, TypeAlias

from dfns_signers.emulator.access.identities import (
    TOKEN_PATTERN,
    AccessToken,
    Directory,
    TokenKind,
    User,
)
from dfns_signers.emulator.access.ledger import Action, Ledger, Reason, UnredeemableError
from dfns_signers.emulator.requests.messages import (
    CheckName,
    Incoming,
    Refusal,
    forbidden,
    quoted,
    unauthorized,
)
from dfns_signers.emulator.requests.wire import canonical_json, parse_json

Purpose: TypeAlias = Literal["token", "registration", "recovery"]
"""What a bearer token is for: calls of the API, or the end of a registration or a recovery."""

# Wordings of the Dfns docs, on errors of tokens and of signed calls.
_INVALID_TOKEN: Final = "user token is missing or invalid"  # noqa: S105 - a message
_INVALID_ACTION: Final = "user action signature is missing or invalid"
_USED_ACTION: Final = "user action has already been used"

_PURPOSES: Final[Mapping[TokenKind, Purpose]] = {"Temp": "registration", "Recovery": "recovery"}
_PURPOSE_NAMES: Final[Mapping[Purpose, str]] = {
    "token": "the token of a user or a service account",
    "registration": "the temporaryAuthenticationToken of a registration",
    "recovery": "the temporaryAuthenticationToken of a recovery",
}

_ACTION_CHECKS: Final[Mapping[Reason, CheckName]] = {
    "unknown": "userAction.unknown",
    "used": "userAction.used",
    "foreign": "userAction.foreign",
    "expired": "userAction.expired",
}


def authenticate(directory: Directory, request: Incoming, purpose: Purpose) -> AccessToken:
    """The token that the request was sent with, refused with 401 unless it is in force."""
    token = directory.find_token(_bearer(request))
    if token is None:
        raise unauthorized("token.unknown", f"{_INVALID_TOKEN}: this server did not issue it.")
    if not token.is_active:
        raise unauthorized(
            "token.deactivated", f"{_INVALID_TOKEN}: {token.token_id} is deactivated."
        )
    if token.expires_at is not None and directory.clock() >= token.expires_at:
        raise unauthorized("token.expired", f"{_INVALID_TOKEN}: {token.token_id} has expired.")
    require_active(token.user)
    _require_purpose(token, purpose)
    return token


def require_active(user: User) -> None:
    """Refuse a user who is deactivated with 401."""
    if not user.is_active:
        raise unauthorized("token.user", f"Not Authorized. The user {user.user_id} is deactivated.")


def require_session(token: AccessToken, operation: str) -> None:
    """Refuse a token that is not a user's login session with 403."""
    _require_kind(token, operation, "Token", "token.session", "the login session of a user")


def require_service_account(token: AccessToken, operation: str) -> None:
    """Refuse a token that is not of a service account with 403."""
    _require_kind(token, operation, "ServiceAccount", "token.serviceAccount", "a service account")


def _require_purpose(token: AccessToken, purpose: Purpose) -> None:
    """Refuse a temporary token of another purpose, and where a temporary one is required."""
    found = _PURPOSES.get(token.kind, "token")
    if found != purpose:
        raise unauthorized(
            "token.purpose",
            f"{_INVALID_TOKEN}: expected {_PURPOSE_NAMES[purpose]}, and found"
            f" {_PURPOSE_NAMES[found]}.",
            expected=purpose,
            found=found,
        )


def _require_kind(
    token: AccessToken, operation: str, kind: TokenKind, check: CheckName, what: str
) -> None:
    if token.kind != kind:
        raise forbidden(
            check,
            f"{token.kind} {token.token_id} is not authorized to perform operation: {operation}"
            f" requires {what}, whatever the permissions.",
            expected=kind,
            found=token.kind,
        )


def check_user_action(
    actions: Ledger[Action], holder: str, request: Incoming, body: Any, *, exact: bool
) -> None:
    """Refuse a call whose user action is missing, spent, or for another call.

    The first call that presents a user action spends it, even when the call is refused.
    """
    action = _redeem(actions, holder, request)
    if action.method != request.method:
        raise _differs("userAction.method", action.method, request.method)
    with_query = f"{request.raw_path}?{request.query}"
    if action.path != request.raw_path and not (request.query and action.path == with_query):
        raise _differs("userAction.path", action.path, request.raw_path)
    if exact:
        _check_bytes(action.payload, request.body)
    else:
        _check_meaning(action.payload, body)


def _bearer(request: Incoming) -> str:
    headers = request.header("authorization")
    if not headers:
        raise unauthorized("token.missing", f"{_INVALID_TOKEN}: no Authorization header.")
    scheme, _, value = headers[0].partition(" ")
    well_formed = scheme.lower() == "bearer" and TOKEN_PATTERN.fullmatch(value)
    if len(headers) > 1 or not well_formed:
        raise unauthorized(
            "token.malformed",
            f'{_INVALID_TOKEN}: expected one Authorization header, "Bearer <token>".',
        )
    return value


def _redeem(actions: Ledger[Action], holder: str, request: Incoming) -> Action:
    values = request.header("x-dfns-useraction")
    if not values:
        raise forbidden(
            "userAction.missing", f"{_INVALID_ACTION}: this call requires X-DFNS-USERACTION."
        )
    if len(values) > 1:
        raise forbidden(
            "userAction.repeated", f"{_INVALID_ACTION}: {len(values)} headers, expected one."
        )
    try:
        return actions.redeem(values[0], holder)
    except UnredeemableError as error:
        check = _ACTION_CHECKS[error.reason]
        if check == "userAction.used":
            raise Refusal(HTTPStatus.BAD_REQUEST, check, _USED_ACTION) from None
        raise forbidden(check, f"{_INVALID_ACTION}: {error}.") from None


def _check_bytes(payload: str, body: bytes) -> None:
    announced = payload.encode("utf-8")
    if announced == body:
        return
    same = zip(announced, body, strict=False)
    index = next(
        (index for index, (left, right) in enumerate(same) if left != right),
        min(len(announced), len(body)),
    )
    raise _payload_differs(
        payload,
        f"the announced payload has {len(announced)} bytes and the body {len(body)};"
        f" the first difference is at byte {index}",
    )


def _check_meaning(payload: str, body: Any) -> None:
    # Official SDKs announce "" for `{}` (Python) and "{}" for no body (Java), so that the
    # three must be one to the service.
    try:
        announced = parse_json(payload.encode("utf-8")) if payload else {}
    except ValueError as error:
        raise _payload_differs(payload, f"the announced payload is not JSON: {error}") from None
    if canonical_json(announced) != canonical_json(body):
        raise _payload_differs(payload, "the announced payload and the body are not the same JSON")


def _payload_differs(payload: str, reason: str) -> Refusal:
    return forbidden(
        "userAction.payload",
        f"{_INVALID_ACTION}: the payload differs, {reason}. Announce exactly the text that is"
        " sent.",
        announced=quoted(payload),
    )


def _differs(
    check: Literal["userAction.method", "userAction.path"], announced: str, found: str
) -> Refusal:
    what = check.partition(".")[2]
    return forbidden(
        check,
        f"{_INVALID_ACTION}: it was issued for the {what} {quoted(announced)},"
        f" and the {what} of this call is {quoted(found)}.",
        announced=quoted(announced),
        found=quoted(found),
    )
