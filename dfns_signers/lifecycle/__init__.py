"""The life of a key as a credential: create, register, rotate, diagnose."""

from dfns_signers.lifecycle.new_credential import NewCredential
from dfns_signers.lifecycle.new_service_account import NewServiceAccount
from dfns_signers.lifecycle.new_token import NewToken
from dfns_signers.lifecycle.registrable import Registration
from dfns_signers.lifecycle.registrations import (
    aannounce_registration,
    acomplete_registration,
    announce_registration,
    aregister,
    aregister_credential,
    aregister_service_account,
    aregister_token,
    complete_registration,
    credential_registration,
    register,
    register_credential,
    register_service_account,
    register_token,
)
from dfns_signers.lifecycle.rotation import arotate, rotate
from dfns_signers.lifecycle.rotation_flow import Rotation, RotationProgress, RotationStep

__all__ = [
    "NewCredential",
    "NewServiceAccount",
    "NewToken",
    "Registration",
    "Rotation",
    "RotationProgress",
    "RotationStep",
    "aannounce_registration",
    "acomplete_registration",
    "announce_registration",
    "aregister",
    "aregister_credential",
    "aregister_service_account",
    "aregister_token",
    "arotate",
    "complete_registration",
    "credential_registration",
    "register",
    "register_credential",
    "register_service_account",
    "register_token",
    "rotate",
]
