"""The life of a key as a credential: create, register, rotate, diagnose."""

from dfns_signers.lifecycle.registrable import Registration
from dfns_signers.lifecycle.registrations import (
    aregister_credential,
    credential_registration,
    register_credential,
)
from dfns_signers.lifecycle.rotation import arotate, rotate
from dfns_signers.lifecycle.rotation_flow import Rotation, RotationProgress, RotationStep

__all__ = [
    "Registration",
    "Rotation",
    "RotationProgress",
    "RotationStep",
    "aregister_credential",
    "arotate",
    "credential_registration",
    "register_credential",
    "rotate",
]
