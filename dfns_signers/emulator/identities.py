"""Identities and credentials that the library form adds, without any request."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field

from dfns_signers.emulator.authentication import TOKEN_PATTERN
from dfns_signers.emulator.base64url import encode
from dfns_signers.emulator.directory import CREDENTIAL_KINDS, CredentialKind, TokenKind
from dfns_signers.emulator.enrolment import add_credential, add_token, add_user
from dfns_signers.emulator.state import State
from dfns_signers.errors import ConfigurationError


@dataclass(frozen=True)
class Identity:
    """Somebody who may call the emulator.

    Attributes:
        user_id: a ``us-`` identifier; service accounts have one too.
        token: bearer token.
        is_service_account: whether it is a machine.
    """

    user_id: str
    token: str = field(repr=False)
    is_service_account: bool = False


def add_identity(
    state: State,
    name: str,
    *,
    service_account: bool,
    token: str | None,
    credentials: Mapping[str, str | bytes],
) -> Identity:
    """A new user or service account; nothing is added when a part of it is refused.

    Raises:
        ConfigurationError: a key or the token is not acceptable, or is taken.
    """
    require(
        token is None or bool(TOKEN_PATTERN.fullmatch(token)),
        "the token is no bearer token: expected letters, digits and -._~+/ only, without spaces",
    )
    require(token not in state.directory.tokens, "this token is another identity's")
    user = add_user(state, name, is_service_account=service_account)
    kind: TokenKind = "ServiceAccount" if service_account else "Token"
    added = add_token(state, user, kind, name=name, value=token)
    try:
        for credential_id, pem in credentials.items():
            enrol(state, user.user_id, pem, credential_id)
    except ConfigurationError:
        state.directory.forget_user(user)
        raise
    return Identity(user.user_id, added.value, service_account)


def enrol(
    state: State,
    holder: str,
    pem: str | bytes,
    credential_id: str | None,
    *,
    kind: CredentialKind = "Key",
    requires_second_factor: bool = False,
) -> str:
    """The id of a new credential.

    Raises:
        ConfigurationError: the key is not acceptable, or the id is taken.
    """
    require(kind in CREDENTIAL_KINDS, f"kind must be one of {', '.join(CREDENTIAL_KINDS)}")
    opaque = encode(secrets.token_bytes(64)) if kind == "PasswordProtectedKey" else None
    try:
        credential = add_credential(
            state,
            holder,
            pem.decode("ascii") if isinstance(pem, bytes) else pem,
            credential_id=credential_id,
            kind=kind,
            name=credential_id or "enrolled",
            requires_second_factor=requires_second_factor,
            encrypted_private_key=opaque,
        )
    except ValueError as error:
        msg = f"cannot enrol {credential_id or 'a credential'}: {error}"
        raise ConfigurationError(msg) from error
    return credential.credential_id


def require(condition: bool, message: str) -> None:
    """Raise a ConfigurationError unless the condition holds."""
    if not condition:
        raise ConfigurationError(message)
