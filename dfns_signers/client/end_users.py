"""Typed calls on end users: registration, login and recovery.

Each begins in one of two ways: delegated, with a signed call of a service account that has verified
who is asking, or direct, with a code that Dfns sends to the user by e-mail. What the end user's
browser answers is sent by a client whose token is the ``temporaryAuthenticationToken`` of the
challenge, or by one with any token where the API asks for none.

Source: Dfns API reference, authentication: registration, login and recovery.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypedDict

from typing_extensions import NotRequired

from dfns_signers.arguments import by_name
from dfns_signers.client.call import Call
from dfns_signers.client.endpoint import ClientT_co, Resource, signed, unsigned
from dfns_signers.client.identities import challenge_identifier
from dfns_signers.client.wallets import Wallet
from dfns_signers.errors import RequestError
from dfns_signers.user_action.bodies import members


class RegistrationChallenge(TypedDict):
    """What a browser needs to make the first credential; the token is not for the browser.

    ``supportedCredentialKinds`` has the lists ``firstFactor`` and ``secondFactor``.
    """

    user: dict[str, str]
    temporaryAuthenticationToken: str
    challenge: str
    rp: NotRequired[dict[str, str]]
    supportedCredentialKinds: dict[str, list[str]]
    authenticatorSelection: dict[str, Any]
    attestation: str
    pubKeyCredParams: list[dict[str, Any]]
    excludeCredentials: list[dict[str, str]]
    otpUrl: str


class RecoveryChallenge(RegistrationChallenge):
    """The same for a recovery; each entry of the list has ``id`` and ``encryptedRecoveryKey``."""

    allowedRecoveryCredentials: list[dict[str, str]]


class LoginChallenge(TypedDict):
    """What a browser signs to log in."""

    challenge: str
    challengeIdentifier: str
    rp: NotRequired[dict[str, str]]
    supportedCredentialKinds: list[dict[str, Any]]
    userVerification: str
    allowCredentials: dict[str, list[dict[str, str]]]


class RegisteredUser(TypedDict):
    """A user with the first credential of a registration or recovery.

    ``authentication`` has the ``token`` of the user's login; it and ``wallets`` come where wallets
    were asked for.
    """

    credential: dict[str, str]
    user: dict[str, str]
    authentication: NotRequired[dict[str, str]]
    wallets: NotRequired[list[Wallet]]


class Sent(TypedDict):
    """The ``message`` that a code is on its way by e-mail."""

    message: str


class Login(TypedDict):
    """The bearer ``token`` of a user."""

    token: str


def _register(*, email: str, external_id: str | None = None) -> Call[RegistrationChallenge]:
    """Create an end user, and get the challenge of the first credential.

    Args:
        email: the username. That it belongs to the end user is for the caller to know.
        external_id: an id of your own.
    """
    body = members(None, email=email, kind="EndUser", externalId=external_id)
    return Call.of("POST", "/auth/registration/delegated", json=body)


def _send_registration_code(username: str, *, org_id: str) -> Call[Sent]:
    """Have Dfns send the code with which an invited user registers; it replaces the one before."""
    body = {"username": username, "orgId": org_id}
    return Call.of("PUT", "/auth/registration/code", json=body)


def _registration_challenge(
    username: str, *, org_id: str, code: str
) -> Call[RegistrationChallenge]:
    """Get the challenge of the first credential, in exchange for the code from the e-mail."""
    body = {"username": username, "orgId": org_id, "registrationCode": code}
    return Call.of("POST", "/auth/registration/init", json=body)


def _complete_registration(
    *,
    first_factor_credential: Mapping[str, Any],
    second_factor_credential: Mapping[str, Any] | None = None,
    recovery_credential: Mapping[str, Any] | None = None,
    wallets: Sequence[Mapping[str, Any]] | None = None,
) -> Call[RegisteredUser]:
    """Register the first credentials; the client's token is the temporary one of the challenge.

    Args:
        first_factor_credential: what the browser made: ``{"credentialKind": "Fido2",
            "credentialInfo": {…}}``.
        second_factor_credential: likewise, where one is wanted.
        recovery_credential: one of kind ``RecoveryKey``; without it, there is no recovery.
        wallets: such as ``[{"network": "EthereumSepolia"}]``, made for the end user at once, whose
            token comes in the answer. None makes none.
    """
    body = members(
        None,
        firstFactorCredential=by_name("first_factor_credential", first_factor_credential),
        secondFactorCredential=_given("second_factor_credential", second_factor_credential),
        recoveryCredential=_given("recovery_credential", recovery_credential),
    )
    if wallets is None:
        return Call.of("POST", "/auth/registration", json=body)
    if isinstance(wallets, (str, bytes, Mapping)) or not isinstance(wallets, Sequence):
        raise RequestError(
            'expected \'wallets\' to be a list such as [{"network": "EthereumSepolia"}], found '
            f"{type(wallets).__name__}"
        )
    body["wallets"] = [by_name("wallets", wallet) for wallet in wallets]
    return Call.of("POST", "/auth/registration/enduser", json=body)


def _login(username: str) -> Call[Login]:
    """Get a token of an end user, whose identity the caller has verified.

    Nothing is asked of the end user: the token reads what is theirs, and signs nothing.
    """
    return Call.of("POST", "/auth/login/delegated", json={"username": username})


def _send_login_code(username: str, *, org_id: str) -> Call[Sent]:
    """Have Dfns send the code that ``login_challenge()`` takes."""
    body = {"username": username, "orgId": org_id}
    return Call.of("POST", "/auth/login/code", json=body)


def _login_challenge(
    username: str, *, org_id: str, code: str | None = None
) -> Call[LoginChallenge]:
    """Get the challenge with which a user logs in with a credential of their own.

    Args:
        username: who logs in.
        org_id: the user's organisation.
        code: from the e-mail; only with it are password-protected keys listed.
    """
    body = members(None, username=username, orgId=org_id, loginCode=code)
    return Call.of("POST", "/auth/login/init", json=body)


def _complete_login(
    *,
    challenge: LoginChallenge,
    first_factor: Mapping[str, Any],
    second_factor: Mapping[str, Any] | None = None,
) -> Call[Login]:
    """Get a token of the user who signed the challenge.

    Args:
        challenge: the answer of ``login_challenge()``.
        first_factor: assertion as ``complete`` of a delegated client takes it.
        second_factor: where the challenge requires one.
    """
    body = members(
        None,
        challengeIdentifier=challenge_identifier(challenge, from_call="login_challenge"),
        firstFactor=by_name("first_factor", first_factor),
        secondFactor=_given("second_factor", second_factor),
    )
    return Call.of("POST", "/auth/login", json=body)


def _recover(*, username: str, credential_id: str) -> Call[RecoveryChallenge]:
    """Begin the recovery of an end user, whose identity the caller has verified.

    Args:
        username: whose credentials are lost.
        credential_id: ``credId`` of the recovery credential that the end user still has.
    """
    body = {"username": username, "credentialId": credential_id}
    return Call.of("POST", "/auth/recover/user/delegated", json=body)


def _send_recovery_code(username: str, *, org_id: str) -> Call[Sent]:
    """Have Dfns send the code that ``recovery_challenge()`` takes."""
    body = {"username": username, "orgId": org_id}
    return Call.of("POST", "/auth/recover/user/code", json=body)


def _recovery_challenge(
    username: str, *, org_id: str, code: str, credential_id: str
) -> Call[RecoveryChallenge]:
    """Begin the recovery of a user who has the code from the e-mail.

    Args:
        username: whose credentials are lost.
        org_id: the user's organisation.
        code: from the e-mail.
        credential_id: ``credId`` of the recovery credential that the user still has.
    """
    body = {
        "username": username,
        "verificationCode": code,
        "orgId": org_id,
        "credentialId": credential_id,
    }
    return Call.of("POST", "/auth/recover/user/init", json=body)


def _complete_recovery(
    *, recovery: Mapping[str, Any], new_credentials: Mapping[str, Any]
) -> Call[RegisteredUser]:
    """Replace all credentials of a user; the client's token is the temporary one of the challenge.

    Args:
        recovery: assertion of kind ``RecoveryKey``. The ``challenge`` of its clientData is the
            JSON text of the new credentials in base64url.
        new_credentials: ``{"firstFactorCredential": {…}, "recoveryCredential": {…}}``, sent with
            its members in this order, since they were signed so.
    """
    body = {
        "recovery": by_name("recovery", recovery),
        "newCredentials": by_name("new_credentials", new_credentials),
    }
    return Call.of("POST", "/auth/recover/user", json=body)


def _given(argument: str, value: object) -> dict[str, Any] | None:
    return None if value is None else by_name(argument, value)


class EndUsers(Resource[ClientT_co]):
    """End users, who sign with credentials of their own."""

    register = signed(_register)
    send_registration_code = unsigned(_send_registration_code)
    registration_challenge = unsigned(_registration_challenge)
    complete_registration = unsigned(_complete_registration)
    login = signed(_login)
    send_login_code = unsigned(_send_login_code)
    login_challenge = unsigned(_login_challenge)
    complete_login = unsigned(_complete_login)
    recover = signed(_recover)
    send_recovery_code = unsigned(_send_recovery_code)
    recovery_challenge = unsigned(_recovery_challenge)
    complete_recovery = unsigned(_complete_recovery)
