"""``/auth/pats``: tokens of a user with a key of their own; and ``/auth/tokens``."""

from __future__ import annotations

from typing import Final

from dfns_signers.emulator.access.identities import AccessToken
from dfns_signers.emulator.requests.fields import integer, members, string, where_present
from dfns_signers.emulator.requests.messages import bad_request
from dfns_signers.emulator.requests.routes import Call, Route
from dfns_signers.emulator.resources.auth.managed import (
    CHANGE,
    MAXIMUM_DAYS,
    NEW_TOKEN,
    SECONDS_PER_DAY,
    Managed,
    add_token,
    named_permission,
    token_view,
)
from dfns_signers.emulator.state import Record


def create(call: Call) -> Record:
    """A new personal access token; the only answer that shows its text."""
    if "daysValid" in call.body and "secondsValid" in call.body:
        raise bad_request(
            "field.exclusive", "daysValid and secondsValid exclude each other.", field="daysValid"
        )
    token = add_token(call, call.token.user, "Pat", named_permission(call))
    return {**token_view(call.state, token), "accessToken": token.value}


def exchange(call: Call) -> Record:
    """The token that the call was made with: it is good for the one organisation there is."""
    return {"token": call.token.value}


def _own(call: Call) -> list[AccessToken]:
    return call.state.directory.tokens_of(call.token.user.user_id, "Pat")


_TOKEN: Final[Managed[AccessToken]] = Managed(
    "Personal access token",
    _own,
    lambda token: token.token_id,
    token_view,
    lambda state, token: state.directory.forget_token(token),
)
_NEW: Final = {**NEW_TOKEN, "secondsValid": integer(1, MAXIMUM_DAYS * SECONDS_PER_DAY)}
_PATH: Final = "/auth/pats"
_ONE: Final = f"{_PATH}/{{tokenId}}"
ROUTES: Final = (
    Route(
        "POST",
        _PATH,
        create,
        where_present(_NEW),
        entity="Pat",
        session_operation="Auth:Pats:Create",
    ),
    Route("GET", _PATH, _TOKEN.list_all),
    Route("GET", _ONE, _TOKEN.get),
    Route("PUT", _ONE, _TOKEN.update, where_present(CHANGE), entity="Pat"),
    Route("DELETE", _ONE, _TOKEN.delete, entity="Pat"),
    Route("PUT", f"{_ONE}/activate", _TOKEN.activate, entity="Pat"),
    Route("PUT", f"{_ONE}/deactivate", _TOKEN.deactivate, entity="Pat"),
    Route("POST", "/auth/tokens", exchange, members({"target": string()})),
)
