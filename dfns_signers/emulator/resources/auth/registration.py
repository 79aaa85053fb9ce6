"""``/auth/registration``: users register their first credentials."""

from __future__ import annotations

from http import HTTPStatus
from typing import Final

from dfns_signers.emulator.access.authorization import require_service_account
from dfns_signers.emulator.access.identities import User
from dfns_signers.emulator.requests.fields import string, where_present
from dfns_signers.emulator.requests.messages import Refusal, not_found, quoted
from dfns_signers.emulator.requests.routes import Call, Route
from dfns_signers.emulator.resources.auth.challenges import temporary_challenge
from dfns_signers.emulator.resources.auth.login import known_user, log_in, username_of
from dfns_signers.emulator.resources.auth.new_credentials import (
    NEW_CREDENTIALS,
    register_credentials,
)
from dfns_signers.emulator.resources.wallets import add_wallet
from dfns_signers.emulator.state import Record

_DELEGATED: Final = where_present({"email": string(), "externalId": string()})


def init_delegated(call: Call) -> Record:
    """Make an end user, and issue the challenge that the user's browser answers."""
    require_service_account(call.token, "Auth:Register:Delegated")
    user = _end_user(call, call.body["email"])
    user.external_id = call.body.get("externalId", user.external_id)
    return temporary_challenge(call.state, user, "Temp")


def init_social(call: Call) -> Record:
    """Make an end user of an identity token, and issue the challenge of the registration."""
    user = _end_user(call, username_of(call.body["idToken"]))
    return temporary_challenge(call.state, user, "Temp")


def init(call: Call) -> Record:
    """Issue the challenge of an invited user, in exchange for the code that was sent."""
    user = _unregistered(known_user(call))
    call.state.mail.redeem("registration", user.name, call.body["registrationCode"])
    return temporary_challenge(call.state, user, "Temp")


def send_code(call: Call) -> Record:
    """Send an invited user another code."""
    user = _unregistered(known_user(call))
    call.state.mail.send("registration", user.name)
    return {"message": "success"}


def complete(call: Call) -> Record:
    """Register the first credentials of a user."""
    answer = register_credentials(call, call.body)
    call.token.user.is_registered = True
    return answer


def complete_end_user(call: Call) -> Record:
    """Register the first credentials of an end user, make wallets of the user, and log in."""
    user = call.token.user
    if user.kind != "EndUser":
        raise not_found("End user", user.name)
    answer = complete(call)
    wallets = [add_wallet(call.state, owner=user, **wanted) for wanted in call.body["wallets"]]
    return {**answer, "authentication": {"token": log_in(call, user)}, "wallets": wallets}


def _end_user(call: Call, username: str) -> User:
    """A new end user, or the one of this name who has not completed the registration."""
    directory = call.state.directory
    for user in directory.users.values():
        if user.name == username:
            if user.kind != "EndUser":
                raise Refusal(
                    HTTPStatus.CONFLICT,
                    "user.registered",
                    f"The user {quoted(username)} is not an end user, and registers with a code.",
                )
            return _unregistered(user)
    return directory.add_user(username, kind="EndUser", email=username, is_registered=False)


def _unregistered(user: User) -> User:
    if user.is_registered:
        raise Refusal(
            HTTPStatus.CONFLICT,
            "user.registered",
            f"The user {quoted(user.name)} is registered already: log in instead.",
        )
    return user


_PATH: Final = "/auth/registration"
ROUTES: Final = (
    Route("POST", f"{_PATH}/delegated", init_delegated, _DELEGATED, entity="User"),
    Route("POST", f"{_PATH}/social", init_social, access="open"),
    Route("POST", f"{_PATH}/init", init, access="open"),
    Route("PUT", f"{_PATH}/code", send_code, access="open"),
    Route("POST", _PATH, complete, NEW_CREDENTIALS, access="registration"),
    Route("POST", f"{_PATH}/enduser", complete_end_user, NEW_CREDENTIALS, access="registration"),
)
