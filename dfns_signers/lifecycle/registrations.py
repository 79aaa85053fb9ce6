"""Register the public key of a signing key with Dfns. Source: Dfns API reference."""

from __future__ import annotations

from dfns_signers.client.client import AsyncDfnsClient, DfnsClient
from dfns_signers.lifecycle.new_credential import NewCredential
from dfns_signers.lifecycle.registrable import Client, Registration, registration
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
