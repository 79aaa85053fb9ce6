"""``/auth/credentials``: the caller's credentials, and new ones with an attestation."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from dfns_signers.emulator.attestations import CREDENTIAL_INFO, verify_attestation
from dfns_signers.emulator.challenges import redeem_challenge
from dfns_signers.emulator.directory import Credential
from dfns_signers.emulator.enrolment import add_credential
from dfns_signers.emulator.exchange import Answer, json_answer
from dfns_signers.emulator.fields import members, one_of, text, variants
from dfns_signers.emulator.identifiers import new_challenge
from dfns_signers.emulator.refusals import Refusal, bad_request
from dfns_signers.emulator.routes import Call, Route
from dfns_signers.emulator.state import CredentialChallenge

_REGISTRATION = {
    "credentialName": text(),
    "challengeIdentifier": text(),
    "credentialInfo": CREDENTIAL_INFO,
}
_CREATE = variants(
    "credentialKind",
    {
        "Key": members(_REGISTRATION),
        "PasswordProtectedKey": members({**_REGISTRATION, "encryptedPrivateKey": text()}),
    },
)
_INIT = members({"kind": one_of("Key", "PasswordProtectedKey")})
_UUID = members({"credentialUuid": text()})
# COSE identifiers of EdDSA, ES256 and RS256 (IANA).
_ALGORITHMS = (-8, -7, -257)


def view(credential: Credential) -> dict[str, Any]:
    """A credential as it is sent."""
    return {
        "kind": credential.kind,
        "credentialId": credential.credential_id,
        "credentialUuid": credential.uuid,
        "dateCreated": credential.date_created,
        "isActive": credential.is_active,
        "name": credential.name,
        "publicKey": credential.pem,
        "relyingPartyId": "",
        "origin": "",
    }


def init(call: Call) -> Answer:
    """Issue a challenge for a new credential."""
    kind = call.body["kind"]
    challenge = new_challenge()
    identifier = call.state.credential_challenges.issue(
        call.token.holder, CredentialChallenge(challenge, kind)
    )
    user = call.token.user
    return json_answer(
        {
            "kind": kind,
            "user": {"id": user.user_id, "displayName": user.username, "name": user.username},
            "challengeIdentifier": identifier,
            "challenge": challenge,
            "attestation": "direct",
            "pubKeyCredParams": [{"type": "public-key", "alg": alg} for alg in _ALGORITHMS],
            "temporaryAuthenticationToken": "",
        }
    )


def create(call: Call) -> Answer:
    """Register the credential that was attested."""
    body = call.body
    challenge = redeem_challenge(
        call.state.credential_challenges, body["challengeIdentifier"], call.token.holder
    )
    if challenge.kind != body["credentialKind"]:
        raise bad_request(
            "credential.kind",
            f"credentialKind must be {challenge.kind} as it was for the challenge,"
            f" and is {body['credentialKind']}.",
        )
    credential_id = body["credentialInfo"]["credId"]
    if credential_id in call.state.directory.credentials:
        raise Refusal(
            HTTPStatus.CONFLICT, "credential.taken", "A credential with this credId exists."
        )
    pem = verify_attestation(challenge.challenge, body["credentialInfo"])
    credential = add_credential(
        call.state,
        call.token.holder,
        pem,
        credential_id=credential_id,
        kind=body["credentialKind"],
        name=body["credentialName"],
        encrypted_private_key=body.get("encryptedPrivateKey"),
    )
    return json_answer(view(credential))


def list_all(call: Call) -> Answer:
    """The credentials that the caller's token signs with."""
    found = call.state.directory.credentials_of(call.token.holder)
    return json_answer({"items": [view(credential) for credential in found]})


def activate(call: Call) -> Answer:
    """Let a credential sign again."""
    return _switched(call, is_active=True)


def deactivate(call: Call) -> Answer:
    """Let a credential sign no more."""
    return _switched(call, is_active=False)


def delete(call: Call) -> Answer:
    """Forget a credential."""
    uuid = call.parameters["credentialUuid"]
    credential = call.state.directory.credential_by_uuid(uuid, call.token.holder)
    del call.state.directory.credentials[credential.credential_id]
    return json_answer(view(credential))


def _switched(call: Call, *, is_active: bool) -> Answer:
    uuid = call.body["credentialUuid"]
    credential = call.state.directory.credential_by_uuid(uuid, call.token.holder)
    credential.is_active = is_active
    return json_answer(view(credential))


_PATH = "/auth/credentials"
ROUTES = (
    Route("GET", _PATH, list_all),
    Route("POST", f"{_PATH}/init", init, _INIT, signed=False),
    Route("POST", _PATH, create, _CREATE, entity="Credential"),
    Route("PUT", f"{_PATH}/activate", activate, _UUID, entity="Credential"),
    Route("PUT", f"{_PATH}/deactivate", deactivate, _UUID, entity="Credential"),
    Route("DELETE", _PATH + "/{credentialUuid}", delete, entity="Credential"),
)
