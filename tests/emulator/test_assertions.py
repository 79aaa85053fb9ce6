from __future__ import annotations

from typing import Any

import pytest

from dfns_signers.emulator import Emulator
from tests.emulator.caller import Caller, answered, b64url, compact, refused
from tests.emulator.conftest import Clock
from tests.emulator.keys import pem, private_key, sign

EXPIRED = "Challenge token is not valid."
NO_CREDENTIAL = "User does not have a credential"


def signed(caller: Caller, client_data: bytes) -> dict[str, Any]:
    """A factor whose signature is right, whatever the client data is."""
    return caller.signed_factor(client_data, sign(caller.key, client_data))


def test_correct_assertion_is_exchanged_for_a_user_action(caller: Caller) -> None:
    challenge = caller.challenge()

    answer = answered(caller.complete(challenge, caller.factor(challenge)))

    assert set(answer) == {"userAction"}
    assert len(answer["userAction"].split(".")) == 3


# The challenge


def test_unknown_challenge_is_refused(caller: Caller) -> None:
    challenge = {**caller.challenge(), "challengeIdentifier": "e30.e30.e30"}

    refused(caller.complete(challenge, caller.factor(challenge)), 400, "challenge.unknown", EXPIRED)


def test_challenge_is_accepted_until_it_expires(caller: Caller, clock: Clock) -> None:
    challenge = caller.challenge()
    clock.now += 299.9

    answered(caller.complete(challenge, caller.factor(challenge)))


def test_expired_challenge_is_refused(caller: Caller, clock: Clock) -> None:
    challenge = caller.challenge()
    clock.now += 300

    refused(caller.complete(challenge, caller.factor(challenge)), 400, "challenge.expired", EXPIRED)


def test_challenge_is_refused_the_second_time(caller: Caller) -> None:
    challenge = caller.challenge()
    answered(caller.complete(challenge, caller.factor(challenge)))

    refused(caller.complete(challenge, caller.factor(challenge)), 400, "challenge.used", EXPIRED)


def test_challenge_is_used_up_by_a_failed_attempt(caller: Caller) -> None:
    challenge = caller.challenge()
    refused(caller.complete(challenge, caller.signed_factor(b"{}", b"")), 400, "field.value")
    refused(caller.complete(challenge, caller.signed_factor(b"{}", b"x")), 400, "clientData.type")

    refused(caller.complete(challenge, caller.factor(challenge)), 400, "challenge.used", EXPIRED)


def test_challenge_of_another_identity_is_refused(caller: Caller, stranger: Caller) -> None:
    challenge = stranger.challenge()

    refused(caller.complete(challenge, caller.factor(challenge)), 400, "challenge.foreign", EXPIRED)


# The shape of the body


def test_unknown_member_of_the_body_is_refused(caller: Caller) -> None:
    challenge = caller.challenge()

    response = caller.complete(challenge, caller.factor(challenge), note="x")

    assert refused(response, 400, "field.unknown")["details"]["field"] == "note"


def test_unknown_member_of_the_factor_is_refused(caller: Caller) -> None:
    challenge = caller.challenge()

    response = caller.complete(challenge, {**caller.factor(challenge), "note": "x"})

    assert refused(response, 400, "field.unknown")["details"]["field"] == "firstFactor.note"


def test_unknown_member_of_the_assertion_is_refused(caller: Caller) -> None:
    challenge = caller.challenge()
    factor = caller.factor(challenge)
    factor["credentialAssertion"]["note"] = "x"

    error = refused(caller.complete(challenge, factor), 400, "field.unknown")
    assert error["details"]["field"] == "firstFactor.credentialAssertion.note"


@pytest.mark.parametrize("name", ["challengeIdentifier", "firstFactor"])
def test_missing_member_of_the_body_is_refused(caller: Caller, name: str) -> None:
    challenge = caller.challenge()
    body = {
        "challengeIdentifier": challenge["challengeIdentifier"],
        "firstFactor": caller.factor(challenge),
    }
    del body[name]

    error = refused(caller.send("POST", "/auth/action", compact(body)), 400, "field.missing")
    assert error["details"]["field"] == name


@pytest.mark.parametrize("name", ["kind", "credentialAssertion"])
def test_missing_member_of_the_factor_is_refused(caller: Caller, name: str) -> None:
    challenge = caller.challenge()
    factor = caller.factor(challenge)
    del factor[name]

    error = refused(caller.complete(challenge, factor), 400, "field.missing")
    assert error["details"]["field"] == f"firstFactor.{name}"


@pytest.mark.parametrize("name", ["credId", "clientData", "signature"])
def test_missing_member_of_the_assertion_is_refused(caller: Caller, name: str) -> None:
    challenge = caller.challenge()
    factor = caller.factor(challenge)
    del factor["credentialAssertion"][name]

    error = refused(caller.complete(challenge, factor), 400, "field.missing")
    assert error["details"]["field"] == f"firstFactor.credentialAssertion.{name}"


@pytest.mark.parametrize("kind", ["Password", "Totp", "RecoveryKey", "Yubikey", ""])
def test_unknown_kind_of_factor_is_refused(caller: Caller, kind: str) -> None:
    challenge = caller.challenge()

    response = caller.complete(challenge, {**caller.factor(challenge), "kind": kind})

    assert refused(response, 400, "field.value")["details"]["field"] == "firstFactor.kind"


@pytest.mark.parametrize("algorithm", ["SHA256", "RSA-SHA256"])
def test_algorithm_that_means_sha256_is_accepted(caller: Caller, algorithm: str) -> None:
    challenge = caller.challenge()
    factor = caller.factor(challenge)
    factor["credentialAssertion"]["algorithm"] = algorithm

    answered(caller.complete(challenge, factor))


def test_other_algorithm_is_refused(caller: Caller) -> None:
    challenge = caller.challenge()
    factor = caller.factor(challenge)
    factor["credentialAssertion"]["algorithm"] = "SHA512"

    error = refused(caller.complete(challenge, factor), 400, "field.value")
    assert error["details"]["field"] == "firstFactor.credentialAssertion.algorithm"


# The credential


def test_unknown_credential_is_refused(caller: Caller) -> None:
    challenge = caller.challenge()
    caller.credential_id = "cr-nobody"

    refused(
        caller.complete(challenge, caller.factor(challenge)),
        401,
        "credential.unknown",
        NO_CREDENTIAL,
    )


def test_credential_of_another_identity_is_refused(caller: Caller, stranger: Caller) -> None:
    challenge = caller.challenge()

    response = caller.complete(challenge, stranger.factor(challenge))

    refused(response, 401, "credential.foreign", NO_CREDENTIAL)


def test_disabled_credential_is_refused(emulator: Emulator, caller: Caller) -> None:
    challenge = caller.challenge()
    emulator.disable_credential("cr-first")

    response = caller.complete(challenge, caller.factor(challenge))

    refused(response, 401, "credential.disabled", NO_CREDENTIAL)


def test_credential_of_another_kind_is_refused(caller: Caller) -> None:
    challenge = caller.challenge()
    factor = {**caller.factor(challenge), "kind": "PasswordProtectedKey"}

    error = refused(caller.complete(challenge, factor), 401, "credential.kind", NO_CREDENTIAL)
    assert error["details"]["expected"] == "Key"


def test_other_credential_of_the_same_identity_is_refused(
    emulator: Emulator, caller: Caller
) -> None:
    emulator.enrol(pem(private_key("ed25519", 2)), "cr-second")
    challenge = caller.challenge()
    caller.credential_id = "cr-second"

    refused(caller.complete(challenge, caller.factor(challenge)), 401, "signature.value")


def test_password_protected_key_signs_like_a_key(emulator: Emulator, caller: Caller) -> None:
    caller.key = private_key("p256")
    caller.credential_id = emulator.enrol(pem(caller.key), kind="PasswordProtectedKey")
    challenge = caller.challenge()

    answered(
        caller.complete(challenge, {**caller.factor(challenge), "kind": "PasswordProtectedKey"})
    )


# Base64url


@pytest.mark.parametrize("member", ["clientData", "signature"])
@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda text: text + "=" * (-len(text) % 4 or 4), "padding"),
        (lambda text: text[:-1] + "+", "outside"),
        (lambda text: text[:4] + "\n" + text[4:], "outside"),
        (lambda text: text[: len(text) // 4 * 4] + "A", "no bytes encode"),
        (lambda text: text[: len(text) // 4 * 4 - 4] + "AB", "canonical"),
        (lambda text: text[: len(text) // 4 * 4 - 4] + "AAB", "canonical"),
    ],
    ids=["padding", "plus", "newline", "length", "two-bits", "four-bits"],
)
def test_member_that_is_not_base64url_is_refused(
    caller: Caller, member: str, spoil: Any, words: str
) -> None:
    challenge = caller.challenge()
    factor = caller.factor(challenge)
    assertion = factor["credentialAssertion"]
    assertion[member] = spoil(assertion[member])

    error = refused(caller.complete(challenge, factor), 400, "base64url", words)
    assert error["details"]["field"] == f"firstFactor.credentialAssertion.{member}"


# Client data: the signature over it is right in every one of these


@pytest.mark.parametrize(
    "template",
    [
        '{"type":"key.get","challenge":"C"}',
        '{"challenge":"C","type":"key.get"}',
        '{"type":"key.get","challenge":"C","origin":"https://app.dfns.io","crossOrigin":false}',
        '{"challenge":"C","crossOrigin":false,"type":"key.get"}',
        '{ "type": "key\\u002eget",\n "challenge": "C" }',
    ],
    ids=["typescript", "docs", "python", "go", "spaced"],
)
def test_client_data_of_every_official_sdk_is_accepted(caller: Caller, template: str) -> None:
    challenge = caller.challenge()
    client_data = template.replace('"C"', f'"{challenge["challenge"]}"').encode()

    answered(caller.complete(challenge, signed(caller, client_data)))


@pytest.mark.parametrize("found", ["key.create", "webauthn.get", "KEY.GET", None, 1])
def test_client_data_of_another_type_is_refused(caller: Caller, found: Any) -> None:
    challenge = caller.challenge()
    client_data = compact({"type": found, "challenge": challenge["challenge"]})

    error = refused(caller.complete(challenge, signed(caller, client_data)), 400, "clientData.type")
    assert error["details"]["expected"] == "key.get"


def test_client_data_for_another_challenge_is_refused(caller: Caller) -> None:
    challenge, other = caller.challenge(), caller.challenge()
    client_data = compact({"type": "key.get", "challenge": other["challenge"]})

    error = refused(
        caller.complete(challenge, signed(caller, client_data)), 400, "clientData.challenge"
    )
    assert error["details"]["expected"] == challenge["challenge"]


def test_client_data_with_the_challenge_encoded_again_is_refused(caller: Caller) -> None:
    challenge = caller.challenge()
    encoded = b64url(challenge["challenge"].encode())

    response = caller.complete(
        challenge, signed(caller, compact({"type": "key.get", "challenge": encoded}))
    )

    refused(response, 400, "clientData.challenge")


@pytest.mark.parametrize(
    ("client_data", "words"),
    [
        (b"key.get", "JSON"),
        (b'{"type":"key.get","challenge":"C","origin":"\xff"}', "not UTF-8: invalid"),
        (b'{"type":"key.get","challenge":"C","type":"key.get"}', "occurs twice"),
        (b'{"type":"key.get","challenge":"C","origin":NaN}', "JSON"),
        (b'{"type":"key.get","challenge":"C","origin":"\\ud800"}', "JSON"),
    ],
    ids=["text", "latin-1", "duplicate", "nan", "surrogate"],
)
def test_client_data_that_is_not_json_is_refused(
    caller: Caller, client_data: bytes, words: str
) -> None:
    challenge = caller.challenge()
    spoiled = client_data.replace(b'"C"', compact(challenge["challenge"]))

    refused(caller.complete(challenge, signed(caller, spoiled)), 400, "clientData.json", words)


@pytest.mark.parametrize("client_data", [b"[]", b'"key.get"', b"null", b"1"])
def test_client_data_that_is_no_object_is_refused(caller: Caller, client_data: bytes) -> None:
    challenge = caller.challenge()

    refused(caller.complete(challenge, signed(caller, client_data)), 400, "clientData.object")
