"""Typed calls on identities: service accounts, personal access tokens, credentials.

Source: Dfns API reference, authentication.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypedDict

from typing_extensions import NotRequired

from dfns_signers.arguments import by_name
from dfns_signers.assertions import CredentialInfo
from dfns_signers.client.call import Call
from dfns_signers.client.endpoint import ClientT_co, Resource, listing, signed, unsigned
from dfns_signers.errors import RequestError
from dfns_signers.user_action.bodies import members


class AccessToken(TypedDict):
    """A token; ``accessToken`` itself comes only in the answer that creates it."""

    tokenId: str
    kind: str
    name: str
    credId: str
    publicKey: str
    isActive: bool
    orgId: str
    linkedUserId: str
    dateCreated: str
    accessToken: NotRequired[str]


class ServiceAccount(TypedDict):
    """A service account with its tokens; ``userInfo["userId"]`` is its id."""

    userInfo: dict[str, Any]
    accessTokens: list[AccessToken]


class CredentialChallenge(TypedDict):
    """What a new credential has to sign, see ``dfns_signers.registration.attest`` for a key.

    A browser makes a passkey from the members that are not required. A password and a one-time
    password sign nothing and have no ``challenge``; the latter is set up from ``otpUrl``.
    """

    kind: str
    challenge: str
    challengeIdentifier: str
    user: NotRequired[dict[str, str]]
    rp: NotRequired[dict[str, str]]
    authenticatorSelection: NotRequired[dict[str, Any]]
    attestation: NotRequired[str]
    pubKeyCredParams: NotRequired[list[dict[str, Any]]]
    excludeCredentials: NotRequired[list[dict[str, str]]]
    otpUrl: NotRequired[str]


class Credential(TypedDict):
    """A registered credential."""

    kind: str
    credentialId: str
    credentialUuid: str
    name: str
    isActive: bool
    dateCreated: str
    publicKey: NotRequired[str]


def _create_service_account(
    *,
    name: str,
    public_key: str,
    permission_id: str | None = None,
    external_id: str | None = None,
    days_valid: int | None = None,
    extra: Mapping[str, Any] | None = None,
) -> Call[ServiceAccount]:
    """Create a service account; the answer carries its token, this once.

    Args:
        name: for people.
        public_key: SPKI PEM of the key that it signs with.
        permission_id: what it may do; nothing without one.
        external_id: an id of your own.
        days_valid: lifetime of the token.
        extra: further members of the body, by their names in the API.
    """
    return Call.of(
        "POST",
        "/auth/service-accounts",
        json=members(
            extra,
            name=name,
            publicKey=public_key,
            permissionId=permission_id,
            externalId=external_id,
            daysValid=days_valid,
        ),
    )


def _list_service_accounts() -> Call[ServiceAccount]:
    """List service accounts."""
    return Call.of("GET", "/auth/service-accounts")


def _get_service_account(user_id: str) -> Call[ServiceAccount]:
    """Get one service account by its ``us-…`` id."""
    return Call.of("GET", "/auth/service-accounts/{userId}", path_params={"userId": user_id})


def _delete_service_account(user_id: str) -> Call[ServiceAccount]:
    """Delete a service account by its ``us-…`` id, with its token and credentials."""
    return Call.of("DELETE", "/auth/service-accounts/{userId}", path_params={"userId": user_id})


def _create_token(
    *,
    name: str,
    public_key: str,
    permission_id: str | None = None,
    external_id: str | None = None,
    days_valid: int | None = None,
    extra: Mapping[str, Any] | None = None,
) -> Call[AccessToken]:
    """Create a personal access token; only the session of a user may.

    Args:
        name: for people.
        public_key: SPKI PEM of the key that it signs with.
        permission_id: what it may do, at most what the user may.
        external_id: an id of your own.
        days_valid: lifetime of the token.
        extra: further members of the body, by their names in the API.
    """
    return Call.of(
        "POST",
        "/auth/pats",
        json=members(
            extra,
            name=name,
            publicKey=public_key,
            permissionId=permission_id,
            externalId=external_id,
            daysValid=days_valid,
        ),
    )


def _list_tokens() -> Call[AccessToken]:
    """List personal access tokens."""
    return Call.of("GET", "/auth/pats")


def _delete_token(token_id: str) -> Call[AccessToken]:
    """Delete a personal access token by its ``to-…`` id."""
    return Call.of("DELETE", "/auth/pats/{tokenId}", path_params={"tokenId": token_id})


def _list_credentials() -> Call[Credential]:
    """List the credentials of the token's own identity."""
    return Call.of("GET", "/auth/credentials")


def _credential_challenge(*, kind: str = "Key") -> Call[CredentialChallenge]:
    """Ask for the challenge of a new credential.

    Args:
        kind: ``Key``, ``Fido2`` (a passkey), ``PasswordProtectedKey``, ``RecoveryKey``,
            ``Password`` or ``Totp`` (one-time passwords, a second factor).
    """
    return Call.of("POST", "/auth/credentials/init", json={"kind": kind}, signed=False)


def _create_credential(
    *,
    name: str,
    challenge: CredentialChallenge,
    credential_info: CredentialInfo | Mapping[str, Any],
    extra: Mapping[str, Any] | None = None,
) -> Call[Credential]:
    """Register a new credential, of the kind of its challenge.

    Args:
        name: for people.
        challenge: the answer of ``challenge()``.
        credential_info: the proof of possession, from ``dfns_signers.registration.attest``, or
            for a passkey from the browser; ``{"password": …}`` or ``{"otpCode": …}``.
        extra: further members of the body, by their names in the API, such as
            ``encryptedPrivateKey``.
    """
    return Call.of(
        "POST",
        "/auth/credentials",
        json=members(
            extra,
            credentialKind=by_name("challenge", challenge).get("kind", "Key"),
            credentialName=name,
            challengeIdentifier=challenge_identifier(challenge, from_call="challenge"),
            credentialInfo=by_name("credential_info", credential_info),
        ),
    )


def challenge_identifier(challenge: Mapping[str, Any], *, from_call: str) -> str:
    """The identifier of a challenge; RequestError if it is not one that ``from_call`` returned."""
    identifier = by_name("challenge", challenge).get("challengeIdentifier")
    if not isinstance(identifier, str):
        raise RequestError(
            f"'challenge' has no 'challengeIdentifier' string: give the answer of {from_call}()"
        )
    return identifier


def _activate_credential(credential_uuid: str) -> Call[Any]:
    """Activate a credential by its ``credentialUuid``."""
    return Call.of("PUT", "/auth/credentials/activate", json={"credentialUuid": credential_uuid})


def _deactivate_credential(credential_uuid: str) -> Call[Any]:
    """Deactivate a credential by its ``credentialUuid``; it cannot sign any more."""
    return Call.of("PUT", "/auth/credentials/deactivate", json={"credentialUuid": credential_uuid})


def _delete_credential(credential_uuid: str) -> Call[Any]:
    """Delete a credential by its ``credentialUuid``."""
    return Call.of(
        "DELETE",
        "/auth/credentials/{credentialUuid}",
        path_params={"credentialUuid": credential_uuid},
    )


class ServiceAccounts(Resource[ClientT_co]):
    """Service accounts."""

    create = signed(_create_service_account)
    get = unsigned(_get_service_account)
    list = listing(_list_service_accounts)
    delete = signed(_delete_service_account)


class PersonalAccessTokens(Resource[ClientT_co]):
    """Personal access tokens of a user."""

    create = signed(_create_token)
    list = listing(_list_tokens)
    delete = signed(_delete_token)


class Credentials(Resource[ClientT_co]):
    """Credentials of the token's own identity."""

    challenge = unsigned(_credential_challenge)
    create = signed(_create_credential)
    list = listing(_list_credentials)
    activate = signed(_activate_credential)
    deactivate = signed(_deactivate_credential)
    delete = signed(_delete_credential)
