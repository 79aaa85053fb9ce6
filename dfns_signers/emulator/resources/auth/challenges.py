"""The parts that challenges of several operations share."""

from __future__ import annotations

from typing import Final, Literal

from dfns_signers.emulator.access.identities import User
from dfns_signers.emulator.access.ledger import CredentialChallenge
from dfns_signers.emulator.credentials.credentials import Credential, CredentialKind
from dfns_signers.emulator.credentials.one_time_passwords import otp_url
from dfns_signers.emulator.credentials.passkeys import ALGORITHMS
from dfns_signers.emulator.requests.wire import new_challenge
from dfns_signers.emulator.state import Record, State

# In the order of supportedCredentialKinds, with the factor that each may be.
_FACTORS: Final[dict[CredentialKind, str]] = {
    "Key": "either",
    "PasswordProtectedKey": "either",
    "Fido2": "either",
    "Password": "first",
    "Totp": "second",
}
_LISTS: Final = {"Key": "key", "PasswordProtectedKey": "passwordProtectedKey", "Fido2": "webauthn"}


def assertion_options(
    state: State, challenge: str, identifier: str, usable: list[Credential]
) -> Record:
    """A challenge for an action or a login, and what may sign it."""
    return {
        "challenge": challenge,
        "challengeIdentifier": identifier,
        "rp": state.relying_party.entity,
        "supportedCredentialKinds": [
            {
                "kind": kind,
                "factor": factor,
                "requiresSecondFactor": any(
                    found.requires_second_factor for found in usable if found.kind == kind
                ),
            }
            for kind, factor in _FACTORS.items()
            if any(found.kind == kind for found in usable)
        ],
        "userVerification": "required",
        "attestation": "direct",
        "allowCredentials": _allowed(usable),
        "externalAuthenticationUrl": "",
    }


def passkey_options(state: State, user: User) -> Record:
    """What a browser needs to make a passkey, but for the challenge."""
    return {
        **key_options(state, user),
        "authenticatorSelection": {
            "residentKey": "required",
            "requireResidentKey": True,
            "userVerification": "required",
        },
        "excludeCredentials": [
            {"type": "public-key", "id": found.credential_id}
            for found in state.directory.usable_credentials_of(user.user_id)
            if found.kind == "Fido2"
        ],
    }


def key_options(state: State, user: User) -> Record:
    """What the maker of a key needs, but for the challenge."""
    return {
        **user_options(state, user),
        "attestation": "direct",
        "pubKeyCredParams": [{"type": "public-key", "alg": alg} for alg in ALGORITHMS],
    }


def user_options(state: State, user: User) -> Record:
    """Who a new credential is for."""
    return {
        "user": {"id": user.user_id, "displayName": user.name, "name": user.name},
        "rp": state.relying_party.entity,
    }


def temporary_challenge(state: State, user: User, kind: Literal["Temp", "Recovery"]) -> Record:
    """The challenge of a registration or a recovery, with the token that completes it."""
    directory = state.directory
    challenge = CredentialChallenge(new_challenge(), "", user.user_id)
    lifetime = state.credential_challenges.lifetime
    token = directory.add_token(user, kind, f"{kind} of {user.name}", lifetime=lifetime)
    token.challenge = challenge
    return {
        **passkey_options(state, user),
        "temporaryAuthenticationToken": token.value,
        "challenge": challenge.challenge,
        "supportedCredentialKinds": {
            "firstFactor": ["Fido2", "Key", "PasswordProtectedKey", "Password"],
            "secondFactor": ["Fido2", "Key", "PasswordProtectedKey", "Totp"],
        },
        "otpUrl": otp_url(user.name, challenge.otp_secret),
    }


def _allowed(usable: list[Credential]) -> Record:
    allowed: Record = {name: [] for name in _LISTS.values()}
    for credential in usable:
        if credential.kind not in _LISTS:
            continue
        entry = {"type": "public-key", "id": credential.credential_id}
        if credential.kind == "PasswordProtectedKey":
            entry["encryptedPrivateKey"] = credential.encrypted_private_key or ""
        allowed[_LISTS[credential.kind]].append(entry)
    return allowed
