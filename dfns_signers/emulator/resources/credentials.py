"""``/auth/credentials``: the caller's credentials, and new ones with an attestation."""

from __future__ import annotations

from http import HTTPStatus
from typing import Final

from dfns_signers.emulator.fields import members, one_of, string, variants
from dfns_signers.emulator.identities import Credential
from dfns_signers.emulator.ledger import CredentialChallenge, redeem_challenge
from dfns_signers.emulator.messages import Refusal, bad_request
from dfns_signers.emulator.routes import Call, Route
from dfns_signers.emulator.state import Record
from dfns_signers.emulator.verification import CREDENTIAL_INFO, verify_attestation
from dfns_signers.emulator.wire import new_challenge

_REGISTRATION: Final = {
    "credentialName": string(),
    "challengeIdentifier": string(),
    "credentialInfo": CREDENTIAL_INFO,
}
_CREATE: Final = variants(
    "credentialKind",
    {
        "Key": members(_REGISTRATION),
        "PasswordProtectedKey": members({**_REGISTRATION, "encryptedPrivateKey": string()}),
    },
)
_INIT: Final = members({"kind": one_of("Key", "PasswordProtectedKey")})
_UUID: Final = members({"credentialUuid": string()})
# COSE identifiers of EdDSA, ES256 and RS256 (IANA).
_ALGORITHMS: Final = (-8, -7, -257)


def _view(credential: Credential) -> Record:
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


def init(call: Call) -> Record:
    """Issue a challenge for a new credential."""
    kind = call.body["kind"]
    challenge = new_challenge()
    identifier = call.state.credential_challenges.issue(
        call.token.holder, CredentialChallenge(challenge, kind)
    )
    user = call.token.user
    return {
        "kind": kind,
        "user": {"id": user.user_id, "displayName": user.name, "name": user.name},
        "challengeIdentifier": identifier,
        "challenge": challenge,
        "attestation": "direct",
        "pubKeyCredParams": [{"type": "public-key", "alg": alg} for alg in _ALGORITHMS],
        "temporaryAuthenticationToken": "",
    }


def create(call: Call) -> Record:
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
    credential = call.state.directory.add_credential(
        call.token.holder,
        pem,
        body["credentialName"],
        credential_id=credential_id,
        kind=body["credentialKind"],
        encrypted_private_key=body.get("encryptedPrivateKey"),
    )
    return _view(credential)


def list_all(call: Call) -> Record:
    """The credentials that the caller's token signs with."""
    found = call.state.directory.credentials_of(call.token.holder)
    return {"items": [_view(credential) for credential in found]}


def activate(call: Call) -> Record:
    """Let a credential sign again."""
    return _switched(call, is_active=True)


def deactivate(call: Call) -> Record:
    """Refuse a credential until it is activated."""
    return _switched(call, is_active=False)


def delete(call: Call) -> Record:
    """Forget a credential."""
    credential = _own(call, call.parameters["credentialUuid"])
    del call.state.directory.credentials[credential.credential_id]
    return _view(credential)


def _switched(call: Call, *, is_active: bool) -> Record:
    credential = _own(call, call.body["credentialUuid"])
    credential.is_active = is_active
    return _view(credential)


def _own(call: Call, uuid: str) -> Credential:
    return call.state.directory.credential_by_uuid(uuid, call.token.holder)


_PATH: Final = "/auth/credentials"
ROUTES: Final = (
    Route("GET", _PATH, list_all),
    Route("POST", f"{_PATH}/init", init, _INIT),
    Route("POST", _PATH, create, _CREATE, entity="Credential"),
    Route("PUT", f"{_PATH}/activate", activate, _UUID, entity="Credential"),
    Route("PUT", f"{_PATH}/deactivate", deactivate, _UUID, entity="Credential"),
    Route("DELETE", f"{_PATH}/{{credentialUuid}}", delete, entity="Credential"),
)
