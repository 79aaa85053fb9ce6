"""New users, tokens and credentials."""

from __future__ import annotations

from dfns_signers.emulator.directory import AccessToken, Credential, CredentialKind, TokenKind, User
from dfns_signers.emulator.identifiers import iso_date, new_id, new_jwt
from dfns_signers.emulator.public_keys import load_public_key
from dfns_signers.emulator.state import State


def add_user(state: State, username: str, *, is_service_account: bool = False) -> User:
    """A new user of the emulator's organisation."""
    user = User(
        user_id=new_id("us"),
        org_id=state.org_id,
        username=username,
        is_service_account=is_service_account,
        date_created=iso_date(state.clock()),
    )
    state.directory.users[user.user_id] = user
    return user


def add_token(
    state: State,
    user: User,
    kind: TokenKind,
    *,
    name: str,
    value: str | None = None,
    lifetime: float | None = None,
) -> AccessToken:
    """A new bearer token; it has the claims of Dfns tokens unless its text is given."""
    now = state.clock()
    token_id = new_id("to")
    expires_at = None if lifetime is None else now + lifetime
    claims = {
        "iss": "dfns-signers-emulator",
        "aud": "dfns:api",
        "sub": user.org_id,
        "iat": int(now),
        **({} if expires_at is None else {"exp": int(expires_at)}),
        "https://custom/username": user.username,
        "https://custom/app_metadata": {
            "orgId": user.org_id,
            "userId": user.user_id,
            "tokenId": token_id,
            "tokenKind": kind,
        },
    }
    token = AccessToken(
        token_id=token_id,
        value=value or new_jwt(claims),
        kind=kind,
        user=user,
        name=name,
        date_created=iso_date(now),
        expires_at=expires_at,
    )
    state.directory.add_token(token)
    return token


def add_credential(
    state: State,
    holder: str,
    pem: str,
    *,
    credential_id: str | None = None,
    kind: CredentialKind = "Key",
    name: str,
    requires_second_factor: bool = False,
    encrypted_private_key: str | None = None,
) -> Credential:
    """A new credential.

    Raises:
        ValueError: the key is not acceptable, or the credential id is taken.
    """
    identifier = credential_id or new_id("cr")
    if identifier in state.directory.credentials:
        msg = f"the credential id {identifier} is taken"
        raise ValueError(msg)
    credential = Credential(
        credential_id=identifier,
        uuid=new_id("cu"),
        kind=kind,
        holder=holder,
        pem=pem,
        public_key=load_public_key(pem),
        name=name,
        date_created=iso_date(state.clock()),
        requires_second_factor=requires_second_factor,
        encrypted_private_key=encrypted_private_key,
    )
    state.directory.credentials[identifier] = credential
    return credential
