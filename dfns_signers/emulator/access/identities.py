"""Users, service accounts, their bearer tokens and their credentials."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias

from dfns_signers.emulator.access.ledger import CredentialChallenge
from dfns_signers.emulator.access.token_claims import token_claims
from dfns_signers.emulator.credentials.credentials import (
    Credential,
    CredentialKind,
    NewCredential,
    Passkey,
    register,
)
from dfns_signers.emulator.credentials.signatures import load_public_key
from dfns_signers.emulator.requests.messages import not_found
from dfns_signers.emulator.requests.wire import iso_date, new_id, new_jwt
from dfns_signers.errors import ConfigurationError

TokenKind: TypeAlias = Literal["Token", "Pat", "ServiceAccount", "Temp", "Recovery"]
"""``Temp`` and ``Recovery`` only complete a registration and a recovery."""
UserKind: TypeAlias = Literal["CustomerEmployee", "EndUser"]
_HOUR: Final = 3600.0
TOKEN_PATTERN: Final = re.compile(r"[A-Za-z0-9._~+/-]+=*")  # RFC 6750, b64token


@dataclass(slots=True)
class User:
    """A person or a service account; both have ``us-`` identifiers (Dfns docs).

    Attributes:
        kind: an end user has no permissions, only wallets and keys.
        is_registered: whether the user has registered credentials, or never needs to.
    """

    user_id: str
    org_id: str
    name: str
    is_service_account: bool
    date_created: str
    kind: UserKind = "CustomerEmployee"
    email: str = ""
    external_id: str | None = None
    is_active: bool = True
    is_registered: bool = True
    is_sso_required: bool = False


@dataclass(slots=True)
class AccessToken:
    """A bearer token.

    Attributes:
        jwt: the same token for clients that read claims; ``value`` unless that was given.
        challenge: what new credentials sign, if the token completes a registration or a recovery.
    """

    token_id: str
    value: str = field(repr=False)
    kind: TokenKind
    user: User
    name: str
    date_created: str
    expires_at: float | None = None
    credential: Credential | None = None
    external_id: str | None = None
    is_active: bool = True
    jwt: str = field(default="", repr=False)
    challenge: CredentialChallenge | None = None

    @property
    def holder(self) -> str:
        """Whose credentials sign for this token: a personal access token has its own."""
        return self.token_id if self.kind == "Pat" else self.user.user_id


@dataclass(frozen=True, slots=True)
class Identity:
    """A user or a service account that may call the emulator.

    Attributes:
        user_id: a ``us-`` identifier; service accounts have one too.
        token: bearer token.
        is_service_account: whether it is a service account.
        token_jwt: the same token for clients that read claims; ``token`` unless that was given.
    """

    user_id: str
    token: str = field(repr=False)
    is_service_account: bool = False
    token_jwt: str = field(default="", repr=False)


@dataclass(slots=True)
class Directory:
    """The users of one organisation, their tokens by value and their credentials by id.

    Attributes:
        clock: the time in seconds since 1970.
    """

    clock: Callable[[], float]
    org_id: str = field(default_factory=lambda: new_id("or"))
    users: dict[str, User] = field(default_factory=dict, repr=False)
    tokens: dict[str, AccessToken] = field(default_factory=dict, repr=False)
    _values: dict[str, str] = field(default_factory=dict, repr=False)  # of tokens, by their JWTs
    credentials: dict[str, Credential] = field(default_factory=dict, repr=False)

    def add_user(
        self,
        name: str,
        *,
        is_service_account: bool = False,
        kind: UserKind = "CustomerEmployee",
        email: str = "",
        is_registered: bool = True,
    ) -> User:
        """A new user or service account."""
        user = User(
            new_id("us"),
            self.org_id,
            name,
            is_service_account,
            iso_date(self.clock()),
            kind=kind,
            email=email,
            is_registered=is_registered,
        )
        self.users[user.user_id] = user
        return user

    def add_token(
        self,
        user: User,
        kind: TokenKind,
        name: str,
        *,
        value: str | None = None,
        lifetime: float | None = None,
    ) -> AccessToken:
        """A new bearer token, valid for ``lifetime`` seconds.

        It is a JWT with the claims of Dfns tokens; if its ``value`` is given, both are good.
        """
        now = self.clock()
        self._forget_expired(now)
        token_id = new_id("to")
        expires_at = None if lifetime is None else now + lifetime
        ids = {"userId": user.user_id, "tokenId": token_id, "tokenKind": kind}
        jwt = new_jwt(token_claims(user.org_id, user.name, now, expires_at, **ids))
        token = AccessToken(
            token_id, value or jwt, kind, user, name, iso_date(now), expires_at, jwt=jwt
        )
        self.tokens[token.value] = token
        self._values[jwt] = token.value
        return token

    def find_token(self, bearer: str) -> AccessToken | None:
        """The token that was sent, as it is or as its JWT."""
        return self.tokens.get(self._values.get(bearer, bearer))

    def add_credential(
        self,
        holder: str,
        pem: str,
        name: str,
        *,
        credential_id: str | None = None,
        kind: CredentialKind = "Key",
        requires_second_factor: bool = False,
        encrypted_private_key: str | None = None,
    ) -> Credential:
        """A new credential with this public key.

        Raises:
            ValueError: the key is not acceptable, or the credential id is in use.
        """
        new = NewCredential(
            kind,
            credential_id or new_id("cr"),
            pem,
            encrypted_private_key,
            Passkey() if kind == "Fido2" else None,
        )
        credential = self.keep_credential(holder, new, name)
        credential.requires_second_factor = requires_second_factor
        return credential

    def keep_credential(self, holder: str, new: NewCredential, name: str) -> Credential:
        """A new credential of what was proved.

        Raises:
            ValueError: the key is not acceptable, or the credential id is in use.
        """
        if new.credential_id in self.credentials:
            raise ValueError(f"the credential id {new.credential_id} is in use")
        credential = Credential(
            credential_id=new.credential_id,
            uuid=new_id("cu"),
            kind=new.kind,
            holder=holder,
            pem=new.pem,
            public_key=load_public_key(new.pem) if new.pem else None,
            name=name,
            date_created=iso_date(self.clock()),
            requires_second_factor=new.kind == "Password",
            encrypted_private_key=new.encrypted_private_key,
            passkey=new.passkey,
            secret=new.secret,
        )
        self.credentials[new.credential_id] = credential
        return credential

    def credentials_of(self, holder: str) -> list[Credential]:
        """The credentials that this holder may sign with, disabled ones included."""
        return [found for found in self.credentials.values() if found.holder == holder]

    def usable_credentials_of(self, holder: str) -> list[Credential]:
        """The active credentials of this holder."""
        return [found for found in self.credentials_of(holder) if found.is_active]

    def user_named(self, username: str) -> User:
        """The user of this name; refused with 404 if there is none."""
        for user in self.users.values():
            if user.name == username and not user.is_service_account:
                return user
        raise not_found("User", username)

    def credential_by_uuid(self, uuid: str, holder: str) -> Credential:
        """The holder's credential of this uuid; refused with 404 if there is none."""
        for credential in self.credentials_of(holder):
            if credential.uuid == uuid:
                return credential
        raise not_found("Credential", uuid)

    def tokens_of(self, user_id: str, kind: TokenKind) -> list[AccessToken]:
        """A user's tokens of one kind."""
        found = self.tokens.values()
        return [token for token in found if token.user.user_id == user_id and token.kind == kind]

    def forget_token(self, token: AccessToken) -> None:
        """Remove a token, and the credentials that only it signs with."""
        del self.tokens[token.value], self._values[token.jwt]
        if token.kind == "Pat":
            self._forget_credentials(token.holder)

    def _forget_expired(self, now: float) -> None:
        """Forget tokens of logins, registrations and recoveries an hour after they expired."""
        for token in list(self.tokens.values()):
            expired = token.expires_at is not None and now >= token.expires_at + _HOUR
            if expired and token.kind in {"Token", "Temp", "Recovery"}:
                self.forget_token(token)

    def forget_user(self, user: User) -> None:
        """Remove a user with all tokens and credentials."""
        del self.users[user.user_id]
        for token in [found for found in self.tokens.values() if found.user is user]:
            self.forget_token(token)
        self._forget_credentials(user.user_id)

    def _forget_credentials(self, holder: str) -> None:
        for credential in self.credentials_of(holder):
            del self.credentials[credential.credential_id]


def add_identity(
    directory: Directory,
    name: str,
    *,
    service_account: bool,
    token: str | None,
    credentials: Mapping[str, str | bytes],
) -> Identity:
    """A new user or service account; nothing is added when a part of it is refused.

    Raises:
        ConfigurationError: a key or the token is not acceptable, or is in use.
    """
    if token is not None and not TOKEN_PATTERN.fullmatch(token):
        raise ConfigurationError(
            "the token is not a valid bearer token: expected letters, digits and -._~+/ only,"
            " without spaces"
        )
    if token in directory.tokens:
        raise ConfigurationError("the token belongs to another identity")
    user = directory.add_user(name, is_service_account=service_account)
    kind: TokenKind = "ServiceAccount" if service_account else "Token"
    added = directory.add_token(user, kind, name, value=token)
    try:
        for credential_id, pem in credentials.items():
            register(directory, user.user_id, pem, credential_id)
    except ConfigurationError:
        directory.forget_user(user)
        raise
    return Identity(user.user_id, added.value, service_account, added.jwt)
