"""The check of ``X-DFNS-USERACTION``: it is for this call, and for this call only."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from dfns_signers.emulator.directory import AccessToken
from dfns_signers.emulator.exchange import Incoming
from dfns_signers.emulator.ledger import UnredeemableError
from dfns_signers.emulator.refusals import Refusal, forbidden, quoted
from dfns_signers.emulator.state import Action, State
from dfns_signers.emulator.strict_json import canonical, parse

HEADER = "x-dfns-useraction"
# Both wordings: Dfns docs, on errors of signed calls.
_INVALID = "user action signature is missing or invalid"
_USED = "user action has already been used"


def check_user_action(state: State, token: AccessToken, request: Incoming, body: Any) -> None:
    """Refuse a call whose user action is missing, spent, or for something else.

    The first call that presents a user action spends it, even when the call is refused.
    """
    action = _redeem(state, token, request)
    if action.method != request.method:
        raise _differs("method", action.method, request.method)
    with_query = f"{request.raw_path}?{request.query}"
    if action.path != request.raw_path and not (request.query and action.path == with_query):
        raise _differs("path", action.path, request.raw_path)
    if state.exact_payloads:
        _check_bytes(action.payload, request.body)
    else:
        _check_meaning(action.payload, body)


def _redeem(state: State, token: AccessToken, request: Incoming) -> Action:
    values = request.header(HEADER)
    if not values:
        raise forbidden("userAction.missing", f"{_INVALID}: this call takes X-DFNS-USERACTION.")
    if len(values) > 1:
        raise forbidden("userAction.repeated", f"{_INVALID}: {len(values)} headers, expected one.")
    try:
        return state.user_actions.redeem(values[0], token.holder)
    except UnredeemableError as error:
        check = f"userAction.{error.reason}"
        if error.reason == "used":
            raise Refusal(HTTPStatus.BAD_REQUEST, check, _USED) from None
        raise forbidden(check, f"{_INVALID}: {error.message}.") from None


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
        announced = parse(payload.encode("utf-8")) if payload else {}
    except ValueError as error:
        raise _payload_differs(payload, f"the announced payload is not JSON: {error}") from None
    if canonical(announced) != canonical(body):
        raise _payload_differs(payload, "the announced payload and the body are not the same JSON")


def _payload_differs(payload: str, reason: str) -> Refusal:
    return forbidden(
        "userAction.payload",
        f"{_INVALID}: the payload differs, {reason}. Sign the very text that is sent.",
        announced=quoted(payload),
    )


def _differs(what: str, announced: str, found: str) -> Refusal:
    return forbidden(
        f"userAction.{what}",
        f"{_INVALID}: it was issued for the {what} {quoted(announced)},"
        f" and the {what} of this call is {quoted(found)}.",
        announced=quoted(announced),
        found=quoted(found),
    )
