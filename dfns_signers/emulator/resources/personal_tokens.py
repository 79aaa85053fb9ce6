"""``/auth/pats``: personal access tokens, which users make for themselves."""

from __future__ import annotations

from typing import Any

from dfns_signers.emulator.directory import AccessToken
from dfns_signers.emulator.exchange import Answer, json_answer
from dfns_signers.emulator.fields import integer, members, text
from dfns_signers.emulator.refusals import bad_request
from dfns_signers.emulator.resources.access_tokens import (
    CREATE_FIELDS,
    MAXIMUM_DAYS,
    SECONDS_PER_DAY,
    assignments_of,
    check_public_key,
    create_token,
    view,
)
from dfns_signers.emulator.routes import Call, Route

_CREATE = members(
    {"name": text(), "publicKey": check_public_key},
    {**CREATE_FIELDS, "secondsValid": integer(1, MAXIMUM_DAYS * SECONDS_PER_DAY)},
)
_UPDATE = members({}, {"name": text(), "externalId": text()})


def create(call: Call) -> Answer:
    """A new token; the only answer that shows its text."""
    body = call.body
    token = create_token(
        call.state,
        call.token.user,
        "Pat",
        body,
        lifetime=_lifetime(body),
        assignments=assignments_of(call.state, body.get("permissionId")),
    )
    return json_answer(view(token, with_secret=True))


def list_all(call: Call) -> Answer:
    """All personal access tokens of the caller; this list has no pages (Dfns docs)."""
    tokens = call.state.directory.tokens_of(call.token.user.user_id, "Pat")
    return json_answer({"items": [view(token) for token in tokens]})


def get(call: Call) -> Answer:
    """One token."""
    return json_answer(view(_token(call)))


def update(call: Call) -> Answer:
    """Change the name or the external id."""
    token = _token(call)
    token.name = call.body.get("name", token.name)
    token.external_id = call.body.get("externalId", token.external_id)
    return json_answer(view(token))


def activate(call: Call) -> Answer:
    """Accept the token again."""
    return _switched(call, is_active=True)


def deactivate(call: Call) -> Answer:
    """Accept the token no more."""
    return _switched(call, is_active=False)


def delete(call: Call) -> Answer:
    """Forget the token and its credential."""
    token = _token(call)
    call.state.directory.forget_token(token)
    return json_answer(view(token))


def _token(call: Call) -> AccessToken:
    return call.state.directory.personal_token(call.token.user.user_id, call.parameters["tokenId"])


def _switched(call: Call, *, is_active: bool) -> Answer:
    token = _token(call)
    token.is_active = is_active
    return json_answer(view(token))


def _lifetime(body: dict[str, Any]) -> float | None:
    if "daysValid" in body and "secondsValid" in body:
        raise bad_request(
            "field.exclusive", "daysValid and secondsValid exclude each other.", field="daysValid"
        )
    seconds: int | None = body.get("secondsValid")
    return body["daysValid"] * SECONDS_PER_DAY if "daysValid" in body else seconds


_PATH = "/auth/pats"
_ONE = _PATH + "/{tokenId}"
ROUTES = (
    Route("POST", _PATH, create, _CREATE, entity="Pat", session_operation="Auth:Pats:Create"),
    Route("GET", _PATH, list_all),
    Route("GET", _ONE, get),
    Route("PUT", _ONE, update, _UPDATE, entity="Pat"),
    Route("DELETE", _ONE, delete, entity="Pat"),
    Route("PUT", f"{_ONE}/activate", activate, entity="Pat"),
    Route("PUT", f"{_ONE}/deactivate", deactivate, entity="Pat"),
)
