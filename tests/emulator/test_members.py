"""Members of bodies that carry a signature: each is required, and no other is accepted."""

from __future__ import annotations

from typing import Any

import pytest

from tests.emulator.caller import Caller, answered, b64url, compact, refused
from tests.emulator.flows import ACTION, REGISTRATION, Flow, attest, drop, put

ASSERTION = "firstFactor.credentialAssertion"


@pytest.mark.parametrize(
    ("flow", "path"),
    [
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
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_missing_member_is_refused_by_name(caller: Caller, flow: Flow, path: str) -> None:
    error = refused(flow.attempt(caller, drop(path)), 400, "field.missing")

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


@pytest.mark.parametrize("kind", ["Password", "Totp", "RecoveryKey", "Yubikey", ""])
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
