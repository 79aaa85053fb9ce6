"""``/auth/action/init`` and ``/auth/action``: user action signing."""

from __future__ import annotations

from typing import Any, Final

from dfns_signers.emulator.fields import members, one_of, string
from dfns_signers.emulator.identities import CREDENTIAL_KINDS, Credential
from dfns_signers.emulator.ledger import Action, ActionChallenge, redeem_challenge
from dfns_signers.emulator.messages import unauthorized
from dfns_signers.emulator.resources.audit_logs import record_action
from dfns_signers.emulator.routes import Call, Route
from dfns_signers.emulator.state import Record
from dfns_signers.emulator.verification import FACTOR, verify_factor
from dfns_signers.emulator.wire import new_challenge

_INIT: Final = members(
    {
        "userActionPayload": string(0),
        "userActionHttpMethod": one_of("POST", "PUT", "DELETE", "GET"),
        "userActionHttpPath": string(
            pattern=r"/(?!/).*",
            expected='the path alone: it starts with one "/", and has no scheme, host or prefix',
        ),
    },
    {"userActionServerKind": one_of("Api")},
)
_COMPLETE: Final = members(
    {"challengeIdentifier": string(), "firstFactor": FACTOR}, {"secondFactor": FACTOR}
)


def init(call: Call) -> Record:
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
    return {
        "challenge": challenge,
        "challengeIdentifier": identifier,
        "rp": {"id": "localhost", "name": "Dfns emulator"},
        "supportedCredentialKinds": _supported(usable),
        "userVerification": "required",
        "attestation": "direct",
        "allowCredentials": _allowed(usable),
        "externalAuthenticationUrl": "",
    }


def complete(call: Call) -> Record:
    """Exchange a signed challenge for a user action."""
    state, holder, body = call.state, call.token.holder, call.body
    issued = redeem_challenge(state.action_challenges, body["challengeIdentifier"], holder)

    def verified(factor: str) -> Credential:
        return verify_factor(state.directory, holder, issued.challenge, factor, body[factor])

    first = verified("firstFactor")
    if "secondFactor" in body:
        if verified("secondFactor") is first:
            raise unauthorized(
                "secondFactor.same", "Not Authorized. Both factors are the same credential."
            )
    elif first.requires_second_factor:
        raise unauthorized(
            "secondFactor.missing",
            f"Not Authorized. {first.credential_id} requires a secondFactor.",
        )
    user_action = state.user_actions.issue(holder, issued.action)
    record_action(call, issued.action, user_action, first, body["firstFactor"])
    return {"userAction": user_action}


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


ROUTES: Final = (
    Route("POST", "/auth/action/init", init, _INIT),
    Route("POST", "/auth/action", complete, _COMPLETE),
)
