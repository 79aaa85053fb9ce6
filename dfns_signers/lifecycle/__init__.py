"""The life of a key as a credential: create, register, rotate, diagnose."""

from dfns_signers.backends.diagnosis import Finding, Policy, Severity
from dfns_signers.lifecycle.doctor import aexamine, examine, least_policy, worst
from dfns_signers.lifecycle.key_profiles import KeyProfile
from dfns_signers.lifecycle.keys import create_key, list_keys, show_key
from dfns_signers.lifecycle.new_credential import NewCredential
from dfns_signers.lifecycle.new_service_account import NewServiceAccount
from dfns_signers.lifecycle.new_token import NewToken
from dfns_signers.lifecycle.registrable import Registration, RegistrationKind
from dfns_signers.lifecycle.registrations import (
    aannounce_registration,
    acomplete_registration,
    announce_registration,
    aregister_credential,
    aregister_service_account,
    aregister_token,
    complete_registration,
    register_credential,
    register_service_account,
    register_token,
)
from dfns_signers.lifecycle.rotation import arotate, rotate
from dfns_signers.lifecycle.rotation_flow import Rotation, RotationProgress, RotationStep
from dfns_signers.lifecycle.setup import ProfileSetup

__all__ = [
    "Finding",
    "KeyProfile",
    "NewCredential",
    "NewServiceAccount",
    "NewToken",
    "Policy",
    "ProfileSetup",
    "Registration",
    "RegistrationKind",
    "Rotation",
    "RotationProgress",
    "RotationStep",
    "Severity",
    "aannounce_registration",
    "acomplete_registration",
    "aexamine",
    "announce_registration",
    "aregister_credential",
    "aregister_service_account",
    "aregister_token",
    "arotate",
    "complete_registration",
    "create_key",
    "examine",
    "least_policy",
    "list_keys",
    "register_credential",
    "register_service_account",
    "register_token",
    "rotate",
    "show_key",
    "worst",
]
