"""``/auth/login`` and ``/auth/logout``: login sessions of users."""

from __future__ import annotations

import secrets
from typing import Final
from urllib.parse import urlencode

from dfns_signers.emulator.access.authorization import require_active, require_service_account
from dfns_signers.emulator.access.identities import User
from dfns_signers.emulator.access.ledger import LoginChallenge, redeem_challenge
from dfns_signers.emulator.credentials.verification import FACTORS, verify_factors
from dfns_signers.emulator.requests.messages import not_found, unauthorized
from dfns_signers.emulator.requests.routes import Call, Route
from dfns_signers.emulator.requests.wire import from_base64url, new_challenge, parse_json
from dfns_signers.emulator.resources.auth.challenges import assertion_options
from dfns_signers.emulator.state import Record

SESSION_SECONDS: Final = 6 * 3600
_ANYBODY: Final = ""
"""Holder of login challenges: who answers them has no token."""


def init(call: Call) -> Record:
    """Issue a challenge for a login.

    Encrypted private keys are only for those who have read the user's e-mail; without a username,
    the passkey says who logs in.
    """
    state, body = call.state, call.body
    user = known_user(call) if "username" in body else None
    usable = state.directory.usable_credentials_of(user.user_id) if user else []
    if user and "loginCode" in body:
        state.mail.redeem("login", user.name, body["loginCode"])
    else:
        usable = [found for found in usable if found.kind != "PasswordProtectedKey"]
    challenge = new_challenge()
    issued = LoginChallenge(challenge, user.user_id if user else None)
    identifier = state.login_challenges.issue(_ANYBODY, issued)
    return assertion_options(state, challenge, identifier, usable)


def complete(call: Call) -> Record:
    """Exchange a signed challenge for a token."""
    state, body = call.state, call.body
    issued = redeem_challenge(state.login_challenges, body["challengeIdentifier"], _ANYBODY)
    holder = issued.holder or _holder_of(call)
    user = _registered(state.directory.users.get(holder))
    verify_factors(state, holder, issued.challenge, body)
    return {"token": log_in(call, user)}


def send_code(call: Call) -> Record:
    """Send a user the code that a login with a password-protected key begins with."""
    call.state.mail.send("login", known_user(call).name)
    return {"message": "success"}


def log_in_delegated(call: Call) -> Record:
    """A token of an end user, whom the caller has authenticated."""
    require_service_account(call.token, "Auth:Login:Delegated")
    user = call.state.directory.user_named(call.body["username"])
    if user.kind != "EndUser":
        raise not_found("End user", user.name)
    return {"token": log_in(call, _registered(user))}


def log_in_social(call: Call) -> Record:
    """A token of the user whom an identity token names; its signature is not verified."""
    user = call.state.directory.user_named(username_of(call.body["idToken"]))
    return {"token": log_in(call, _registered(user))}


def init_sso(call: Call) -> Record:
    """Where a browser is sent, with a code as if the identity provider had been there."""
    require_organisation(call)
    query = urlencode({"code": secrets.token_urlsafe(), "state": secrets.token_urlsafe()})
    return {"ssoRedirectUrl": f"{call.body['redirectUri']}?{query}"}


def log_in_sso(call: Call) -> Record:
    """A token of the first user."""
    user = next(iter(call.state.directory.users.values()), None)
    return {"token": log_in(call, _registered(user))}


def log_out(call: Call) -> Record:
    """Refuse the token from now on, or every login token of the user."""
    token = call.token
    sessions = [token]
    if (call.body or {}).get("allSessions"):
        sessions = call.state.directory.tokens_of(token.user.user_id, "Token")
    for session in sessions:
        session.is_active = False
    return {"message": "success"}


def log_in(call: Call, user: User) -> str:
    """A new token of a user."""
    directory = call.state.directory
    return directory.add_token(user, "Token", user.name, lifetime=SESSION_SECONDS).value


def known_user(call: Call) -> User:
    """The user whom the body names; refused with 404 if there is none in its organisation."""
    require_organisation(call)
    return call.state.directory.user_named(call.body["username"])


def require_organisation(call: Call) -> None:
    """Refuse a body that names another organisation with 404."""
    if call.body["orgId"] != call.state.directory.org_id:
        raise not_found("Organisation", call.body["orgId"])


def username_of(id_token: str) -> str:
    """The e-mail address or the subject of an identity token; the whole token if it has none."""
    try:
        claims = parse_json(from_base64url(id_token.split(".")[1]))
        name = claims.get("email") or claims["sub"]
    except (ValueError, LookupError, AttributeError):
        return id_token
    return str(name)


def _holder_of(call: Call) -> str:
    """Whose credential signs; "" if there is no such credential."""
    assertion = call.body["firstFactor"].get("credentialAssertion", {})
    credential = call.state.directory.credentials.get(assertion.get("credId", ""))
    return credential.holder if credential else ""


def _registered(user: User | None) -> User:
    """Refuse to log in a user who is not there, not registered or deactivated."""
    if user is None or not user.is_registered:
        raise unauthorized(
            "user.unregistered", "Not Authorized. The user has not registered a credential."
        )
    require_active(user)
    return user


_PATH: Final = "/auth/login"
ROUTES: Final = (
    Route("POST", f"{_PATH}/init", init, access="open"),
    Route("POST", _PATH, complete, FACTORS, access="open"),
    Route("POST", f"{_PATH}/code", send_code, access="open"),
    Route("POST", f"{_PATH}/delegated", log_in_delegated, entity="User"),
    Route("POST", f"{_PATH}/social", log_in_social, access="open"),
    Route("POST", f"{_PATH}/sso/init", init_sso, access="open"),
    Route("POST", f"{_PATH}/sso", log_in_sso, access="open"),
    Route("PUT", "/auth/logout", log_out, session_operation="Auth:Logout"),
)
