"""Assertions of passkeys: what an authenticator signs."""

from __future__ import annotations

import base64
from collections.abc import Callable

import pytest

from dfns_signers.emulator import Emulator
from tests.emulator.caller import Caller, answered, b64url, refused
from tests.emulator.end_users import Application
from tests.emulator.flows import Change, Json, drop, put
from tests.emulator.keys import pem, private_key, sign
from tests.emulator.passkeys import Authenticator, flagged, from_b64url, with_extensions


@pytest.mark.parametrize("extensions", [{}, {"credProtect": 2}])
def test_extension_data_is_accepted(application: Application, extensions: Json) -> None:
    spoil = with_extensions(extensions)
    answered(application.try_passkey(application.authenticator, authenticator_data=spoil))
    answered(application.try_assertion(authenticator_data=spoil))


@pytest.mark.parametrize(
    "spoil",
    [
        lambda data: data[:36],
        lambda data: data + b"\0",
        with_extensions([]),
        lambda data: with_extensions({})(data)[:-1],
    ],
    ids=["short", "long", "extensions-not-a-map", "extensions-missing"],
)
def test_malformed_authenticator_data_is_refused(
    application: Application, spoil: Callable[[bytes], bytes]
) -> None:
    application.register()

    refused(application.try_assertion(authenticator_data=spoil), 400, "authenticatorData")


@pytest.mark.parametrize(
    ("before", "found", "accepted"),
    [
        (0, 0, True),
        (0, 1, True),
        (5, 6, True),
        (5, 5, False),
        (5, 4, False),
        (5, 0, False),
    ],
)
def test_signature_counter_must_grow_unless_it_stays_zero(
    application: Application, before: int, found: int, accepted: bool
) -> None:
    application.authenticator = Authenticator(counter=before, counts=False)
    application.register()
    (passkey,) = application.authenticator.passkeys.values()
    passkey.counter = found

    response = application.try_assertion()

    if accepted:
        answered(response)
    else:
        refused(response, 401, "authenticatorData.counter", f"the last was {before}")


def test_counter_of_a_refused_assertion_does_not_count(application: Application) -> None:
    application.register()
    (passkey,) = application.authenticator.passkeys.values()
    passkey.counter = 10
    refused(
        application.try_assertion(put("signature", b64url(bytes(70)))), 401, "signature.encoding"
    )
    passkey.counter = 0

    answered(application.try_assertion())


def test_repeated_authenticator_data_is_refused(application: Application) -> None:
    application.register()
    answered(application.try_assertion())
    application.authenticator.counts = False

    refused(application.try_assertion(), 401, "authenticatorData.counter")


@pytest.mark.parametrize(
    "write",
    [
        lambda handle: handle,
        lambda handle: b64url(base64.urlsafe_b64decode(from_b64url(handle) + b"=")),
        lambda _: "",
    ],
    ids=["text", "decoded", "none"],
)
def test_user_handle_of_the_user_is_accepted(
    application: Application, write: Callable[[str], str]
) -> None:
    application.register()

    answered(application.try_assertion(put("userHandle", write)))


def test_user_handle_of_another_user_is_refused(application: Application) -> None:
    application.register()

    response = application.try_assertion(put("userHandle", b64url(b"us-1")))

    error = refused(response, 400, "userHandle")
    assert error["details"]["expected"] == application.user_id()


def test_user_handle_of_a_passkey_that_was_not_attested_may_be_any(
    emulator: Emulator, caller: Caller
) -> None:
    key = private_key("p256", 5)
    emulator.register(pem(key), "cr-passkey", kind="Fido2")
    authenticator = Authenticator()
    authenticator.hold(key, "cr-passkey").handle = b"anything"
    challenge = caller.challenge()

    answered(caller.complete(challenge, authenticator.get(challenge)))


def test_signature_over_the_client_data_alone_is_refused(application: Application) -> None:
    application.register()
    (passkey,) = application.authenticator.passkeys.values()

    def sign_client_data(found: Json) -> None:
        found["signature"] = b64url(sign(passkey.key, from_b64url(found["clientData"])))

    refused(application.try_assertion(sign_client_data), 401, "signature.value")


def test_authenticator_data_that_was_not_signed_is_refused(application: Application) -> None:
    application.register()
    other = flagged(0x0D)

    def replace(found: Json) -> None:
        found["authenticatorData"] = b64url(other(from_b64url(found["authenticatorData"])))

    refused(application.try_assertion(replace), 401, "signature.value", "over other bytes")


@pytest.mark.parametrize(
    ("change", "check"),
    [
        (drop("authenticatorData"), "field.missing"),
        (put("authenticatorData", ""), "field.value"),
        (put("userHandle", 1), "field.value"),
        (put("authenticatorData", lambda text: f"{text}="), "base64url"),
        (put("userHandle", lambda text: f"{text}="), "base64url"),
    ],
)
def test_assertion_with_a_wrong_member_is_refused(
    application: Application, change: Change, check: str
) -> None:
    application.register()

    refused(application.try_assertion(change), 400, check)
