"""Checks of the credential: registered for this key, active, and allowed to sign a call."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from dfns_signers.announced_call import AnnouncedCall
from dfns_signers.assertions import client_data, read_challenge, require_allowed
from dfns_signers.backends.diagnosis import Finding
from dfns_signers.client.client import DfnsClient
from dfns_signers.client.identities import Credential
from dfns_signers.errors import (
    CredentialNotAllowedError,
    SigningCancelledError,
    SigningRefusedError,
    UnsupportedKeyError,
)
from dfns_signers.hooks import SigningHooks, SigningRequest
from dfns_signers.lifecycle.checks import Checked, Findings, checked, failure, ok, warning
from dfns_signers.public_keys import fingerprint, load_public_key
from dfns_signers.signing_key import SigningKey
from dfns_signers.user_action.signing_flow import announcement, check_challenge

_REGISTER: Final = "register the key with 'dfns-signers register credential'"
_NOBODY: Final = "00000000-0000-0000-0000-000000000000"

HARMLESS_CALL: Final = AnnouncedCall(
    "PUT", "/auth/credentials/activate", f'{{"credentialUuid":"{_NOBODY}"}}', ""
)
"""What is announced and never sent: to activate a credential that does not exist."""


@dataclass(frozen=True, slots=True)
class Configured:
    """What is configured, and what the API has of it.

    Attributes:
        credential_id: ``credId`` of the profile, if it has one.
        key: the key, if it could be opened.
        listed: the credentials of the token's identity; None if it may not list them.
    """

    credential_id: str | None
    key: SigningKey | None
    listed: Sequence[Credential] | None

    @property
    def credential(self) -> Credential | None:
        """The configured credential, if it is listed."""
        same = (one for one in self.listed or () if one["credentialId"] == self.credential_id)
        return next(same, None)

    @property
    def advice(self) -> str:
        """What to do with a key that is registered as another credential, or not at all."""
        key = self.key
        if key is None:
            return "correct 'credential_id', or " + _REGISTER
        for one in self.listed or ():
            if _fingerprint_of(one) == key.fingerprint:
                return (
                    f"the key {key.reference} ({key.fingerprint}) is registered as "
                    f"{one['credentialId']!r}: set that as 'credential_id'"
                )
        return f"the key {key.reference} ({key.fingerprint}) is not registered: {_REGISTER}"


def announced(dfns: DfnsClient) -> Findings[Checked[Mapping[str, Any]] | None]:
    """The challenge for a harmless call, which is not answered."""
    exchange = announcement(HARMLESS_CALL)

    def ask() -> Mapping[str, Any]:
        return check_challenge(dfns.post(exchange.path, json=exchange.body))

    remedy = "check the token, and what the API says above"
    return (yield from checked("user action", ask, remedy))


def examine_credential(configured: Configured) -> Iterator[Finding]:
    """Whether the configured credential is there, active, and that of the key."""
    credential_id, credential = configured.credential_id, configured.credential
    if credential_id is None:
        yield failure("credential", "the profile has no 'credential_id'", configured.advice)
    elif configured.listed is None:
        yield warning(
            "credential",
            f"{credential_id!r} is not compared with the key: the token may not list credentials",
            "compare fingerprints in the Dashboard",
        )
    elif credential is None:
        have = ", ".join(repr(one["credentialId"]) for one in configured.listed) or "none"
        yield failure(
            "credential",
            f"the identity of the token has no credential {credential_id!r}; it has {have}",
            configured.advice,
        )
    elif not credential.get("isActive"):
        yield failure(
            "credential",
            f"{credential_id!r} is not active",
            "activate it in the Dashboard, or " + _REGISTER,
        )
    elif credential.get("kind") != "Key":
        yield failure(
            "credential",
            f"{credential_id!r} is of the kind {credential.get('kind')}, expected Key",
            configured.advice,
        )
    else:
        yield _compared(configured, credential)


def _compared(configured: Configured, credential: Credential) -> Finding:
    name, key = credential["credentialId"], configured.key
    registered = _fingerprint_of(credential)
    if registered is None or key is None:
        what = "the key could not be opened" if key is None else "it has no public key that is read"
        return warning(
            "credential", f"{name!r} is active, and not compared: {what}", "correct that first"
        )
    if registered != key.fingerprint:
        return failure(
            "credential",
            f"{name!r} has the public key {registered}, and the configured key {key.reference} is "
            f"{key.fingerprint}",
            configured.advice,
        )
    return ok("credential", f"{name!r} is active and has the public key {registered}")


def examine_challenge(
    challenge: Checked[Mapping[str, Any]], credential_id: str | None
) -> Iterator[Finding]:
    """Whether the challenge allows the configured credential."""
    call = f"{HARMLESS_CALL.method} {HARMLESS_CALL.path}"
    if credential_id is None:
        yield ok("user action", f"a challenge for {call}, left unanswered", challenge.seconds)
        return
    try:
        require_allowed(challenge.value, credential_id)
    except CredentialNotAllowedError as error:
        yield failure(
            "user action", str(error), "correct what is said of the credential", challenge.seconds
        )
    else:
        yield ok(
            "user action",
            f"the challenge for {call} allows {credential_id!r}; it is left unanswered",
            challenge.seconds,
        )


def examine_guards(
    hooks: SigningHooks, challenge: Mapping[str, Any], credential_id: str, key: SigningKey
) -> Iterator[Finding]:
    """Whether the guards let the harmless call pass; observers hear that it is not signed."""
    message = client_data("key.get", read_challenge(challenge))
    request = SigningRequest(
        credential_id, key.reference, key.algorithm, challenge, message, HARMLESS_CALL
    )
    try:
        hooks.before(request)
    except SigningRefusedError as error:
        hooks.failed(request, error)
        yield warning(
            "guards",
            f"a guard refuses {HARMLESS_CALL.method} {HARMLESS_CALL.path}: {error}",
            "leave it so if the guard is meant to admit other calls only",
        )
    else:
        hooks.failed(request, SigningCancelledError("dfns-signers doctor signs no user action"))
        yield ok("guards", f"they let {HARMLESS_CALL.method} {HARMLESS_CALL.path} pass")


def _fingerprint_of(credential: Credential) -> str | None:
    public_key: object = credential.get("publicKey")
    if not isinstance(public_key, str):
        return None
    try:
        return fingerprint(load_public_key(public_key))
    except UnsupportedKeyError:
        return None
