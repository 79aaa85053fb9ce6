"""``/auth/action/init`` and ``/auth/action``: user action signing."""

from __future__ import annotations

from typing import Final

from dfns_signers.emulator.access.ledger import Action, ActionChallenge, redeem_challenge
from dfns_signers.emulator.credentials.verification import FACTORS, verify_factors
from dfns_signers.emulator.requests.fields import one_of, string, where_present
from dfns_signers.emulator.requests.routes import Call, Route
from dfns_signers.emulator.requests.wire import new_challenge
from dfns_signers.emulator.resources.auth.audit_logs import record_action
from dfns_signers.emulator.resources.auth.challenges import assertion_options
from dfns_signers.emulator.state import Record

_INIT: Final = where_present(
    {
        "userActionHttpPath": string(
            pattern=r"/(?!/).*",
            expected='the path alone: it starts with one "/", and has no scheme, host or prefix',
        ),
        "userActionServerKind": one_of("Api"),
    }
)


def init(call: Call) -> Record:
    """Issue a challenge for a call."""
    state, body, holder = call.state, call.body, call.token.holder
    action = Action(
        body["userActionHttpMethod"], body["userActionHttpPath"], body["userActionPayload"]
    )
    challenge = new_challenge()
    identifier = state.action_challenges.issue(holder, ActionChallenge(challenge, action))
    usable = state.directory.usable_credentials_of(holder)
    return assertion_options(state, challenge, identifier, usable)


def complete(call: Call) -> Record:
    """Exchange a signed challenge for a user action."""
    state, holder, body = call.state, call.token.holder, call.body
    issued = redeem_challenge(state.action_challenges, body["challengeIdentifier"], holder)
    first = verify_factors(state, holder, issued.challenge, body)
    user_action = state.user_actions.issue(holder, issued.action)
    record_action(call, issued.action, user_action, first, body["firstFactor"])
    return {"userAction": user_action}


ROUTES: Final = (
    Route("POST", "/auth/action/init", init, _INIT),
    Route("POST", "/auth/action", complete, FACTORS),
)
