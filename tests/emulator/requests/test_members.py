"""Members of bodies that carry a signature: each is required, and no other is accepted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.emulator.caller import Caller, answered, b64url, compact, refused
from tests.emulator.flows import ACTION, NEW, REGISTRATION, Change, Flow, attest, drop, put
from tests.emulator.keys import pem

ASSERTION = "firstFactor.credentialAssertion"


REQUIRED = [
    (ACTION, "challengeIdentifier"),
    (ACTION, "firstFactor"),
    (ACTION, "firstFactor.kind"),
    (ACTION, ASSERTION),
    (ACTION, f"{ASSERTION}.credId"),
    (ACTION, f"{ASSERTION}.clientData"),
    (ACTION, f"{ASSERTION}.signature"),
    (REGISTRATION, "credentialKind"),
    (REGISTRATION, "credentialName"),
    (REGISTRATION, "challengeIdentifier"),
    (REGISTRATION, "credentialInfo"),
    (REGISTRATION, "credentialInfo.credId"),
    (REGISTRATION, "credentialInfo.clientData"),
    (REGISTRATION, "credentialInfo.attestationData"),
]


@pytest.mark.parametrize(("flow", "path"), REQUIRED)
@pytest.mark.parametrize(
    ("spoil", "check"),
    [(drop, "field.missing"), (lambda path: put(path, []), "field.value")],
    ids=["missing", "array"],
)
def test_member_that_is_missing_or_of_another_kind_is_refused_by_name(
    caller: Caller, flow: Flow, path: str, spoil: Callable[[str], Change], check: str
) -> None:
    error = refused(flow.attempt(caller, spoil(path)), 400, check)

    assert error["details"]["field"] == path


@pytest.mark.parametrize(
    ("flow", "path"),
    [
        (ACTION, "note"),
        (ACTION, "firstFactor.note"),
        (ACTION, f"{ASSERTION}.note"),
        (ACTION, f"{ASSERTION}.authenticatorData"),
        (REGISTRATION, "note"),
        (REGISTRATION, "encryptedPrivateKey"),
        (REGISTRATION, "credentialInfo.note"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_unknown_member_is_refused_by_name(caller: Caller, flow: Flow, path: str) -> None:
    error = refused(flow.attempt(caller, put(path, "x")), 400, "field.unknown")

    assert error["details"]["field"] == path


@pytest.mark.parametrize("kind", ["Totp", "RecoveryKey", "Yubikey", ""])
def test_unknown_kind_of_factor_is_refused(caller: Caller, kind: str) -> None:
    error = refused(ACTION.attempt(caller, put("firstFactor.kind", kind)), 400, "field.value")

    assert error["details"]["field"] == "firstFactor.kind"


@pytest.mark.parametrize("algorithm", ["SHA256", "RSA-SHA256"])
def test_algorithm_that_means_sha256_is_accepted(caller: Caller, algorithm: str) -> None:
    answered(ACTION.attempt(caller, put(f"{ASSERTION}.algorithm", algorithm)))
    answered(attest(caller, algorithm=algorithm))


def test_other_algorithm_is_refused(caller: Caller) -> None:
    asserted = ACTION.attempt(caller, put(f"{ASSERTION}.algorithm", "SHA512"))
    attested = attest(caller, algorithm="SHA512")

    assert refused(asserted, 400, "field.value")["details"]["field"] == f"{ASSERTION}.algorithm"
    assert refused(attested, 400, "field.value")["details"]["field"] == "attestationData.algorithm"


@pytest.mark.parametrize(
    ("attestation", "check", "field"),
    [
        ([], "field.value", "attestationData"),
        ({"signature": "00"}, "field.missing", "attestationData.publicKey"),
        ({"publicKey": "x"}, "field.missing", "attestationData.signature"),
        ({"publicKey": 1, "signature": "00"}, "field.value", "attestationData.publicKey"),
        ({"publicKey": "x", "signature": 1}, "field.value", "attestationData.signature"),
        (
            {"publicKey": "x", "signature": "00", "note": "x"},
            "field.unknown",
            "attestationData.note",
        ),
    ],
)
def test_attestation_with_a_wrong_member_is_refused_by_name(
    caller: Caller, attestation: Any, check: str, field: str
) -> None:
    encoded = b64url(compact(attestation))

    response = REGISTRATION.attempt(caller, put("credentialInfo.attestationData", encoded))

    assert refused(response, 400, check)["details"]["field"] == field


def test_long_name_of_an_unknown_member_is_cut_in_the_error(caller: Caller) -> None:
    response = caller.call("POST", "/wallets", {"network": "Base", "x" * 101: 1})

    assert refused(response, 400, "field.unknown")["details"]["field"] == "x" * 100


PAT = {"name": "ci", "publicKey": pem(NEW)}


@pytest.mark.parametrize(
    ("path", "body", "message"),
    [
        (
            "/wallets",
            {"network": "Base", "name": ""},
            "name must be a string of at least 1 characters, and is 0 characters long.",
        ),
        (
            "/wallets",
            {"network": "Base", "externalId": "x" * 101},
            "externalId must be a string of 1 to 100 characters, and is 101 characters long.",
        ),
        (
            "/wallets",
            {"network": "Base", "tags": {}},
            "tags must be an array, and is an object.",
        ),
        (
            "/wallets",
            {"network": "Base", "delayDelegation": "no"},
            "delayDelegation must be true or false, and is a string.",
        ),
        (
            "/keys",
            {"scheme": "RSA", "curve": "stark"},
            'scheme must be "DH" or "ECDSA" or "EdDSA" or "Schnorr", and is "RSA".',
        ),
        (
            "/auth/pats",
            {**PAT, "daysValid": 731},
            "daysValid must be an integer from 1 to 730, and is outside of that.",
        ),
        ("/wallets", {}, "network is required, and is missing."),
        (
            "/permissions",
            {"note": "x"},
            "note is not a member of this request. Members it may have: name, operations.",
        ),
        (
            "/auth/pats/to-1/activate",
            {"note": "x"},
            "note is not a member of this request. Members it may have: none.",
        ),
    ],
)
def test_message_says_what_was_expected_and_what_was_found(
    caller: Caller, path: str, body: dict[str, Any], message: str
) -> None:
    method = "PUT" if path.endswith("activate") else "POST"

    error = caller.call(method, path, body).json()["error"]

    assert error["message"] == message


@pytest.mark.parametrize("days", [1, 730])
def test_integer_at_a_bound_is_accepted(caller: Caller, days: int) -> None:
    caller.create("/auth/pats", {**PAT, "daysValid": days})
