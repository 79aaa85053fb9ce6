"""Users, their tokens and their credentials."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from dfns_signers.emulator.public_keys import PublicKey
from dfns_signers.emulator.refusals import not_found

TokenKind = Literal["Token", "Pat", "ServiceAccount"]
CredentialKind = Literal["Key", "PasswordProtectedKey", "Fido2"]
CREDENTIAL_KINDS: tuple[CredentialKind, ...] = ("Key", "PasswordProtectedKey", "Fido2")


@dataclass
class User:
    """A person or a service account; both have ``us-`` identifiers (Dfns docs)."""

    user_id: str
    org_id: str
    username: str
    is_service_account: bool
    date_created: str
    external_id: str | None = None
    is_active: bool = True


@dataclass
class Credential:
    """A registered public key.

    Attributes:
        holder: who may sign with it: a user id, or the token id of a personal access token.
    """

    credential_id: str
    uuid: str
    kind: CredentialKind
    holder: str
    pem: str
    public_key: PublicKey
    name: str
    date_created: str
    requires_second_factor: bool = False
    encrypted_private_key: str | None = field(default=None, repr=False)
    is_active: bool = True


@dataclass
class AccessToken:
    """A bearer token."""

    token_id: str
    value: str = field(repr=False)
    kind: TokenKind
    user: User
    name: str
    date_created: str
    expires_at: float | None = None
    credential: Credential | None = None
    external_id: str | None = None
    permission_assignments: Sequence[Mapping[str, Any]] = ()
    is_active: bool = True

    @property
    def holder(self) -> str:
        """Whose credentials sign for this token: a personal access token has its own."""
        return self.token_id if self.kind == "Pat" else self.user.user_id


@dataclass
class Directory:
    """Everybody who is known."""

    users: dict[str, User] = field(default_factory=dict, repr=False)
    tokens: dict[str, AccessToken] = field(default_factory=dict, repr=False)
    credentials: dict[str, Credential] = field(default_factory=dict, repr=False)

    def add_token(self, token: AccessToken) -> None:
        """Accept a bearer token from now on."""
        self.tokens[token.value] = token

    def credentials_of(self, holder: str) -> list[Credential]:
        """The credentials that this holder may sign with, disabled ones included."""
        return [found for found in self.credentials.values() if found.holder == holder]

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

    def service_account(self, user_id: str) -> User:
        """The service account of this id; refused with 404 if there is none."""
        user = self.users.get(user_id)
        if user is None or not user.is_service_account:
            raise not_found("Service account", user_id)
        return user

    def personal_token(self, user_id: str, token_id: str) -> AccessToken:
        """A user's personal access token of this id; refused with 404 if there is none."""
        for token in self.tokens_of(user_id, "Pat"):
            if token.token_id == token_id:
                return token
        raise not_found("Personal access token", token_id)

    def forget_token(self, token: AccessToken) -> None:
        """Remove a token, and the credentials that only it signs with."""
        del self.tokens[token.value]
        if token.kind == "Pat":
            self._forget_credentials(token.holder)

    def forget_user(self, user: User) -> None:
        """Remove a user with all tokens and credentials."""
        del self.users[user.user_id]
        for token in [found for found in self.tokens.values() if found.user is user]:
            self.forget_token(token)
        self._forget_credentials(user.user_id)

    def _forget_credentials(self, holder: str) -> None:
        for credential in self.credentials_of(holder):
            del self.credentials[credential.credential_id]
