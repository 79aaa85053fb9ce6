"""Two factors, and those that are no keys: passwords and one-time passwords."""

from __future__ import annotations

import base64
import hmac
from typing import Any

import pytest

from dfns_signers.emulator import Emulator
from dfns_signers.emulator.credentials.one_time_passwords import is_valid_code
from tests.emulator.caller import Caller, answered, compact, refused
from tests.emulator.conftest import Clock
from tests.emulator.flows import ACTION, Change, Json, put
from tests.emulator.keys import pem, private_key
from tests.emulator.passkeys import Authenticator


@pytest.fixture
def passkey(emulator: Emulator) -> Authenticator:
    key, authenticator = private_key("p256", 5), Authenticator()
    emulator.register(pem(key), "cr-passkey", kind="Fido2")
    authenticator.hold(key, "cr-passkey")
    return authenticator


@pytest.fixture
def demanding(emulator: Emulator, caller: Caller) -> Caller:
    """A caller whose credential requires a second factor."""
    emulator.register(pem(caller.key), "cr-demanding", requires_second_factor=True)
    caller.credential_id = "cr-demanding"
    return caller


def second_factor(caller: Caller, second: Json, challenge: Json) -> Any:
    return caller.complete(challenge, caller.factor(challenge), secondFactor=second)


def test_second_factor_that_is_required_is_accepted(
    demanding: Caller, passkey: Authenticator
) -> None:
    challenge = demanding.challenge()
    second = passkey.get(challenge)

    answered(second_factor(demanding, second, challenge))


def test_second_factor_that_is_required_and_missing_is_refused_with_the_credential(
    demanding: Caller,
) -> None:
    response = ACTION.attempt(demanding)

    refused(response, 401, "secondFactor.missing", "cr-demanding requires a secondFactor")


def test_second_factor_with_a_wrong_signature_is_refused(
    demanding: Caller, passkey: Authenticator
) -> None:
    challenge = demanding.challenge()
    passkey.hold(private_key("p256", 6), "cr-passkey")
    second = passkey.get(challenge)

    error = refused(second_factor(demanding, second, challenge), 401, "signature.value")
    assert error["details"]["field"] == "secondFactor"


def test_first_factor_with_a_wrong_signature_is_refused_with_a_right_second(
    demanding: Caller, passkey: Authenticator
) -> None:
    challenge = demanding.challenge()
    second = passkey.get(challenge)
    demanding.key = private_key("ed25519", 6)

    error = refused(second_factor(demanding, second, challenge), 401, "signature.value")
    assert error["details"]["field"] == "firstFactor"


@pytest.mark.parametrize(
    ("change", "status", "check"),
    [
        (put("credentialAssertion.credId", "cr-nobody"), 401, "credential.unknown"),
        (put("note", "x"), 400, "field.unknown"),
    ],
)
def test_second_factor_that_is_not_required_is_checked_all_the_same(
    caller: Caller, change: Change, status: int, check: str
) -> None:
    challenge = caller.challenge()
    second = caller.factor(challenge)
    change(second)

    error = refused(second_factor(caller, second, challenge), status, check)
    assert error["details"].get("field", "secondFactor.note") == "secondFactor.note"


# Passwords and one-time passwords


def secret_of(url: str) -> bytes:
    text = url.partition("secret=")[2].partition("&")[0]
    return base64.b32decode(text + "=" * (-len(text) % 8))


def code(secret: bytes, moment: float) -> str:
    """What an authenticator app shows (RFC 6238)."""
    digest = hmac.digest(secret, (int(moment) // 30).to_bytes(8, "big"), "sha1")
    start = digest[-1] & 0x0F
    return f"{(int.from_bytes(digest[start : start + 4], 'big') & 0x7FFFFFFF) % 10**6:06}"


def begin(caller: Caller, kind: str) -> Json:
    return answered(caller.send("POST", "/auth/credentials/init", compact({"kind": kind})))


def create(caller: Caller, challenge: Json, **info: str) -> Any:
    """A new credential of a kind without a key."""
    body = {
        "credentialKind": challenge["kind"],
        "credentialName": "mine",
        "challengeIdentifier": challenge["challengeIdentifier"],
        "credentialInfo": info,
    }
    return caller.call("POST", "/auth/credentials", body)


@pytest.fixture
def secret(caller: Caller, clock: Clock) -> bytes:
    """Secret of a TOTP of the caller."""
    challenge = begin(caller, "Totp")
    found = secret_of(challenge["otpUrl"])
    answered(create(caller, challenge, otpCode=code(found, clock.now)))
    return found


@pytest.fixture
def password(caller: Caller) -> Json:
    """A factor with a password of the caller."""
    answered(create(caller, begin(caller, "Password"), password="correct horse"))
    return {"kind": "Password", "password": "correct horse"}


def totp(secret: bytes, moment: float) -> Json:
    return {"kind": "Totp", "otpCode": code(secret, moment)}


def test_password_and_one_time_password_sign_together(
    caller: Caller, clock: Clock, secret: bytes, password: Json
) -> None:
    challenge = caller.challenge()
    kinds = {kind["kind"]: kind for kind in challenge["supportedCredentialKinds"]}

    answered(caller.complete(challenge, password, secondFactor=totp(secret, clock.now)))

    assert kinds["Password"]["factor"] == "first"
    assert kinds["Password"]["requiresSecondFactor"] is True
    assert kinds["Totp"]["factor"] == "second"


def test_password_alone_is_refused(caller: Caller, password: Json) -> None:
    refused(caller.complete(caller.challenge(), password), 401, "secondFactor.missing")


@pytest.mark.parametrize("wrong", ["", "Correct horse", "correct horse "])
def test_wrong_password_is_refused(caller: Caller, password: Json, wrong: str) -> None:
    response = caller.complete(caller.challenge(), {**password, "password": wrong})

    refused(response, 401, "password")


@pytest.mark.parametrize(
    ("late", "accepted"), [(-60, False), (-30, True), (0, True), (30, True), (60, False)]
)
def test_one_time_password_is_good_for_its_time_and_the_times_next_to_it(
    clock: Clock, secret: bytes, demanding: Caller, late: int, accepted: bool
) -> None:
    challenge = demanding.challenge()

    response = second_factor(demanding, totp(secret, clock.now - late), challenge)

    if accepted:
        answered(response)
    else:
        refused(response, 401, "otpCode")


def test_one_time_password_may_be_used_again_while_it_is_valid(
    clock: Clock, secret: bytes, demanding: Caller
) -> None:
    for _ in range(2):
        answered(second_factor(demanding, totp(secret, clock.now), demanding.challenge()))


def test_new_one_time_password_needs_a_code_of_its_secret(caller: Caller) -> None:
    refused(create(caller, begin(caller, "Totp"), otpCode="12345"), 401, "otpCode")


def test_one_time_passwords_are_those_of_the_rfc() -> None:
    # RFC 6238, appendix B, the last six digits of SHA-1.
    vectors = {59: "287082", 1111111109: "081804", 20000000000: "353130"}

    assert all(is_valid_code(b"12345678901234567890", text, at) for at, text in vectors.items())


@pytest.mark.parametrize(
    "factor", [{"kind": "Password", "password": "x"}, {"kind": "Totp", "otpCode": "123456"}]
)
def test_factor_that_the_user_does_not_have_is_refused(demanding: Caller, factor: Json) -> None:
    challenge = demanding.challenge()
    place = "firstFactor" if factor["kind"] == "Password" else "secondFactor"
    body = {
        "challengeIdentifier": challenge["challengeIdentifier"],
        "firstFactor": demanding.factor(challenge),
        place: factor,
    }

    refused(ACTION.send(demanding, body), 401, "credential.unknown", factor["kind"])


@pytest.mark.parametrize(("place", "kind"), [("secondFactor", "Password"), ("firstFactor", "Totp")])
def test_kind_in_the_wrong_place_is_refused(caller: Caller, place: str, kind: str) -> None:
    member = "password" if kind == "Password" else "otpCode"
    challenge = caller.challenge()
    factors = {"firstFactor": caller.factor(challenge), place: {"kind": kind, member: "x"}}
    body = {"challengeIdentifier": challenge["challengeIdentifier"], **factors}

    error = refused(ACTION.send(caller, body), 400, "field.value")
    assert error["details"]["field"] == f"{place}.kind"
