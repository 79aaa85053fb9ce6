"""Registered credentials of every kind."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from dfns_signers.emulator.credentials.signatures import PublicKey
from dfns_signers.emulator.requests.wire import to_base64url
from dfns_signers.errors import ConfigurationError

if TYPE_CHECKING:
    from dfns_signers.emulator.access.identities import Directory

CredentialKind: TypeAlias = Literal[
    "Key", "PasswordProtectedKey", "Fido2", "RecoveryKey", "Password", "Totp"
]
KINDS_WITH_A_KEY: Final[tuple[CredentialKind, ...]] = (
    "Key",
    "PasswordProtectedKey",
    "Fido2",
    "RecoveryKey",
)


@dataclass(slots=True)
class Passkey:
    """What only a credential of kind Fido2 has.

    Attributes:
        rp_id: relying party that it was attested for; "" if it was not attested.
        origin: of the page that made it; "" if it was not attested.
        user_id: what the page was given as the user's id; None if it was not attested.
        counter: signature counter of the last assertion.
    """

    rp_id: str = ""
    origin: str = ""
    user_id: str | None = None
    counter: int = 0


@dataclass(slots=True)
class NewCredential:
    """What a registration has proved.

    Attributes:
        pem: public key; "" for Password and Totp.
        secret: hash of a password, or secret of a TOTP.
    """

    kind: CredentialKind
    credential_id: str
    pem: str = ""
    encrypted_private_key: str | None = field(default=None, repr=False)
    passkey: Passkey | None = None
    secret: bytes = field(default=b"", repr=False)


@dataclass(slots=True)
class Credential:
    """A registered credential.

    Attributes:
        holder: who may sign with it: a user id, or the token id of a personal access token.
        pem: public key; "" for Password and Totp, which have none.
        secret: hash of a password, or secret of a TOTP.
    """

    credential_id: str
    uuid: str
    kind: CredentialKind
    holder: str
    pem: str
    public_key: PublicKey | None
    name: str
    date_created: str
    requires_second_factor: bool = False
    encrypted_private_key: str | None = field(default=None, repr=False)
    passkey: Passkey | None = None
    secret: bytes = field(default=b"", repr=False)
    is_active: bool = True


def register(
    directory: Directory,
    holder: str,
    pem: str | bytes,
    credential_id: str | None,
    *,
    kind: CredentialKind = "Key",
    requires_second_factor: bool = False,
) -> str:
    """The id of a new credential.

    Raises:
        ConfigurationError: the key is not acceptable, or the id is in use.
    """
    if kind not in KINDS_WITH_A_KEY:
        raise ConfigurationError(f"kind must be one of {', '.join(KINDS_WITH_A_KEY)}")
    opaque = to_base64url(secrets.token_bytes(64)) if kind == "PasswordProtectedKey" else None
    try:
        credential = directory.add_credential(
            holder,
            pem.decode("ascii") if isinstance(pem, bytes) else pem,
            credential_id or "registered",
            credential_id=credential_id,
            kind=kind,
            requires_second_factor=requires_second_factor,
            encrypted_private_key=opaque,
        )
    except ValueError as error:
        named = credential_id or "a credential"
        raise ConfigurationError(f"cannot register {named}: {error}") from error
    return credential.credential_id
