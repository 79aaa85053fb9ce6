"""Register the public key of a signing key with Dfns. Source: Dfns API reference."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from typing_extensions import Unpack

from dfns_signers.client.client import AsyncDfnsClient, DfnsClient
from dfns_signers.client.delegated import AsyncDelegatedDfnsClient, DelegatedDfnsClient
from dfns_signers.client.pending import PendingAction
from dfns_signers.lifecycle.new_credential import NewCredential
from dfns_signers.lifecycle.new_identity import NewIdentityOptions
from dfns_signers.lifecycle.new_service_account import NewServiceAccount
from dfns_signers.lifecycle.new_token import NewToken
from dfns_signers.lifecycle.registrable import (
    Client,
    Registrable,
    Registration,
    announcement,
    completion,
    registration,
)
from dfns_signers.lifecycle.steps import Flow, acarry_out, carry_out
from dfns_signers.signing_key import SigningKey


def credential_registration(
    key: SigningKey, dfns: Client, *, name: str, credential_id: str | None = None
) -> Flow[Registration]:
    """The flow of ``register_credential``, for use in another one."""
    return registration(dfns, NewCredential(key, name=name, credential_id=credential_id))


def register_credential(
    key: SigningKey, dfns: DfnsClient, *, name: str, credential_id: str | None = None
) -> Registration:
    """Register a key as one more credential of the client's identity.

    A credential of this key that is there already is returned instead: an interrupted call may be
    repeated.

    Args:
        key: the new key; it signs the attestation.
        dfns: a client whose signer is a credential of the identity.
        name: for people.
        credential_id: the ``credId``; a random one if not given. Write one down before, where the
            call may be interrupted.

    Raises:
        RegistrationError: the key is registered under another credential id, or deactivated, or
            the credential id is that of another key; nothing was changed.
        ConfigurationError: the key is not a SigningKey.
        ApprovalRequiredError: a policy wants approval first.
        SigningKeyError: a key cannot sign.
        SigningError: the credential of the client cannot sign.
        CallError: the API refused or failed, and the key is not registered as far as can be seen.
    """
    return carry_out(credential_registration(key, dfns, name=name, credential_id=credential_id))


async def aregister_credential(
    key: SigningKey, dfns: AsyncDfnsClient, *, name: str, credential_id: str | None = None
) -> Registration:
    """Like ``register_credential``, without blocking the event loop."""
    return await acarry_out(
        credential_registration(key, dfns, name=name, credential_id=credential_id)
    )


def register(what: Registrable, dfns: DfnsClient) -> Registration:
    """Register what a NewCredential, NewServiceAccount or NewToken describes.

    Raises what ``register_credential`` and ``register_service_account`` raise.
    """
    return carry_out(registration(dfns, what))


async def aregister(what: Registrable, dfns: AsyncDfnsClient) -> Registration:
    """Like ``register``, without blocking the event loop."""
    return await acarry_out(registration(dfns, what))


def register_service_account(
    key: SigningKey, dfns: DfnsClient, **options: Unpack[NewIdentityOptions]
) -> Registration:
    """Create a service account that the key signs for, and keep its token in a file.

    The API shows the token once, in the answer that creates it. The file is created, with room for
    the token, before that; one that is there must be empty. A service account of this key that is
    there already is returned instead if its token is in the file: an interrupted call may be
    repeated.

    Args:
        key: the key that is to sign for it.
        dfns: a client that may create service accounts, and signs.
        **options: ``name`` and ``token_file``; ``permission_id``, ``external_id`` (an id of your
            own, which no second one gets), ``days_valid`` (lifetime of the token), ``replace``
            (whether one of this key and this name whose token is lost is deleted, and created
            anew).

    Raises:
        RegistrationError: the key is registered already and its token is not in the file, or is
            deactivated; another key has the external id; the file cannot be used. Or the token
            could not be written: the message says where it is.
        ConfigurationError: the key is not a SigningKey.
        ApprovalRequiredError: a policy wants approval first.
        SigningKeyError: the key of the client cannot sign.
        SigningError: the credential of the client cannot sign.
        CallError: the API refused or failed, and nothing was created as far as can be seen.
    """
    return register(NewServiceAccount(key, **options), dfns)


async def aregister_service_account(
    key: SigningKey, dfns: AsyncDfnsClient, **options: Unpack[NewIdentityOptions]
) -> Registration:
    """Like ``register_service_account``, without blocking the event loop."""
    return await aregister(NewServiceAccount(key, **options), dfns)


def register_token(
    key: SigningKey, dfns: DfnsClient, **options: Unpack[NewIdentityOptions]
) -> Registration:
    """Create a personal access token of the client's user; like ``register_service_account``.

    The client's own token must be that of a login: a service account or a personal access token may
    not (Dfns docs), which is a PermissionDeniedError.
    """
    return register(NewToken(key, **options), dfns)


async def aregister_token(
    key: SigningKey, dfns: AsyncDfnsClient, **options: Unpack[NewIdentityOptions]
) -> Registration:
    """Like ``register_token``, without blocking the event loop."""
    return await aregister(NewToken(key, **options), dfns)


def announce_registration(
    what: Registrable, dfns: DelegatedDfnsClient
) -> Registration | PendingAction:
    """Announce a registration that somebody else signs.

    Args:
        what: a NewCredential, NewServiceAccount or NewToken. A credential is attested here.
        dfns: a client with the token of the identity whose credential is to sign.

    Returns:
        What that credential has to sign; or, where the key is registered already, as what.

    Raises:
        RegistrationError: what is registered is in the way, as for ``register_credential`` and
            ``register_service_account``; nothing is replaced.
        SigningKeyError: the new key cannot sign its attestation.
        CallError: the API refused or failed.
    """
    return carry_out(announcement(dfns, what))


async def aannounce_registration(
    what: Registrable, dfns: AsyncDelegatedDfnsClient
) -> Registration | PendingAction:
    """Like ``announce_registration``, without blocking the event loop."""
    return await acarry_out(announcement(dfns, what))


def complete_registration(
    what: Registrable,
    dfns: DelegatedDfnsClient,
    pending: PendingAction,
    first_factor: Mapping[str, Any],
) -> Registration:
    """Complete a registration with the signature of somebody else.

    Args:
        what: as it was announced; with the same key.
        dfns: a client with the same token.
        pending: from ``announce_registration``, of this or another process.
        first_factor: the assertion, as ``DelegatedDfnsClient.complete`` takes it.

    Raises:
        RequestError: the pending action is not that of this registration, or the assertion is
            malformed. Nothing was sent.
        RegistrationError: as for ``register_credential`` and ``register_service_account``.
        CallError: the API refused the assertion or the call.
    """
    return carry_out(completion(dfns, what, pending, first_factor))


async def acomplete_registration(
    what: Registrable,
    dfns: AsyncDelegatedDfnsClient,
    pending: PendingAction,
    first_factor: Mapping[str, Any],
) -> Registration:
    """Like ``complete_registration``, without blocking the event loop."""
    return await acarry_out(completion(dfns, what, pending, first_factor))
