"""``/auth/action/init`` and ``/auth/action``: user action signing."""

from __future__ import annotations

from typing import Any

from dfns_signers.emulator.assertions import FACTOR, verify_factor
from dfns_signers.emulator.challenges import redeem_challenge
from dfns_signers.emulator.directory import CREDENTIAL_KINDS, Credential
from dfns_signers.emulator.exchange import Answer, json_answer
from dfns_signers.emulator.fields import members, one_of, text
from dfns_signers.emulator.identifiers import new_challenge
from dfns_signers.emulator.refusals import unauthorized
from dfns_signers.emulator.routes import Call, Route
from dfns_signers.emulator.state import Action, ActionChallenge

_INIT = members(
    {
        "userActionPayload": text(0),
        "userActionHttpMethod": one_of("POST", "PUT", "DELETE", "GET"),
        "userActionHttpPath": text(
            pattern=r"/(?!/).*",
            expected='the path alone: it starts with one "/", and has no scheme, host or prefix',
        ),
    },
    {"userActionServerKind": one_of("Api")},
)
_COMPLETE = members(
    {"challengeIdentifier": text(), "firstFactor": FACTOR}, {"secondFactor": FACTOR}
)


def init(call: Call) -> Answer:
    """Issue a challenge for a call."""
    body = call.body
    action = Action(
        body["userActionHttpMethod"], body["userActionHttpPath"], body["userActionPayload"]
    )
    challenge = new_challenge()
    identifier = call.state.action_challenges.issue(
        call.token.holder, ActionChallenge(challenge, action)
    )
    usable = [
        found for found in call.state.directory.credentials_of(call.token.holder) if found.is_active
    ]
    return json_answer(
        {
            "challenge": challenge,
            "challengeIdentifier": identifier,
            "rp": {"id": "localhost", "name": "Dfns emulator"},
            "supportedCredentialKinds": _supported(usable),
            "userVerification": "required",
            "attestation": "direct",
            "allowCredentials": _allowed(usable),
            "externalAuthenticationUrl": "",
        }
    )


def complete(call: Call) -> Answer:
    """Exchange a signed challenge for a user action."""
    state, holder, body = call.state, call.token.holder, call.body
    issued = redeem_challenge(state.action_challenges, body["challengeIdentifier"], holder)
    first = verify_factor(state, holder, issued.challenge, "firstFactor", body["firstFactor"])
    if "secondFactor" in body:
        second = verify_factor(
            state, holder, issued.challenge, "secondFactor", body["secondFactor"]
        )
        if second is first:
            raise unauthorized(
                "secondFactor.same", "Not Authorized. Both factors are the same credential."
            )
    elif first.requires_second_factor:
        raise unauthorized(
            "secondFactor.missing",
            f"Not Authorized. {first.credential_id} requires a secondFactor.",
        )
    return json_answer({"userAction": state.user_actions.issue(holder, issued.action)})


def _supported(usable: list[Credential]) -> list[dict[str, Any]]:
    return [
        {
            "kind": kind,
            "factor": "either",
            "requiresSecondFactor": any(
                found.requires_second_factor for found in usable if found.kind == kind
            ),
        }
        for kind in CREDENTIAL_KINDS
        if any(found.kind == kind for found in usable)
    ]


def _allowed(usable: list[Credential]) -> dict[str, list[dict[str, Any]]]:
    lists = {"Key": "key", "PasswordProtectedKey": "passwordProtectedKey", "Fido2": "webauthn"}
    allowed: dict[str, list[dict[str, Any]]] = {name: [] for name in lists.values()}
    for credential in usable:
        entry = {"type": "public-key", "id": credential.credential_id}
        if credential.encrypted_private_key:
            entry["encryptedPrivateKey"] = credential.encrypted_private_key
        allowed[lists[credential.kind]].append(entry)
    return allowed


ROUTES = (
    Route("POST", "/auth/action/init", init, _INIT, signed=False),
    Route("POST", "/auth/action", complete, _COMPLETE, signed=False),
)
