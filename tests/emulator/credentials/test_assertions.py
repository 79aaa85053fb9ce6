"""Assertions of keys at ``POST /auth/action``."""

from __future__ import annotations

from dfns_signers.emulator import Emulator
from tests.emulator.caller import Caller, answered, refused
from tests.emulator.flows import ACTION, put
from tests.emulator.keys import pem, private_key

ASSERTION = "firstFactor.credentialAssertion"


def test_correct_assertion_is_exchanged_for_a_user_action(caller: Caller) -> None:
    answer = answered(ACTION.attempt(caller))

    assert set(answer) == {"userAction"}
    assert len(answer["userAction"].split(".")) == 3


def test_password_protected_key_signs_like_a_key(emulator: Emulator, caller: Caller) -> None:
    caller.key = private_key("p256")
    caller.credential_id = emulator.register(pem(caller.key), kind="PasswordProtectedKey")

    answered(ACTION.attempt(caller, put("firstFactor.kind", "PasswordProtectedKey")))


def test_credential_of_another_kind_is_refused_with_its_kind(caller: Caller) -> None:
    response = ACTION.attempt(caller, put("firstFactor.kind", "PasswordProtectedKey"))

    error = refused(response, 401, "credential.kind", "its kind is Key")
    assert error["details"]["expected"] == "Key"


def test_other_credential_of_the_same_identity_is_refused(
    emulator: Emulator, caller: Caller
) -> None:
    emulator.register(pem(private_key("ed25519", 2)), "cr-second")

    refused(ACTION.attempt(caller, put(f"{ASSERTION}.credId", "cr-second")), 401, "signature.value")
