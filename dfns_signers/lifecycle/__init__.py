"""The life of a key as a credential: create, register, rotate, diagnose."""

from dfns_signers.lifecycle.registrable import Registration
from dfns_signers.lifecycle.registrations import (
    aregister_credential,
    credential_registration,
    register_credential,
)

__all__ = [
    "Registration",
    "aregister_credential",
    "credential_registration",
    "register_credential",
]
