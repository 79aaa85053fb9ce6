"""Which factors complete a delegated call."""

from __future__ import annotations

from typing import Any

import pytest

from dfns_signers.client.pending import PendingAction
from dfns_signers.emulator import Emulator
from dfns_signers.errors import AuthenticationError, BadRequestError, RequestError
from tests.core.client.driving import Driven
from tests.core.client.factors import fido2_factor, key_factor
from tests.core.client.recordings import ACTION, sent
from tests.core.client.scripted import ScriptedApi
from tests.core.keys import ALGORITHMS, private_key, public_key, public_pem


def pending_of(delegated: Driven) -> PendingAction:
    pending: PendingAction = delegated.call(lambda client: client.wallets.create(network="Bitcoin"))
    return pending


def finish(delegated: Driven, pending: PendingAction, *factors: Any) -> Any:
    return delegated.call(lambda client: client.complete(pending, *factors))


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("kind", ["Key", "PasswordProtectedKey"])
def test_key_of_any_algorithm_completes_a_call(
    delegated: Driven, emulator: Emulator, kind: Any, algorithm: str
) -> None:
    emulator.enrol(public_pem(public_key(algorithm)), "cr-user", kind=kind)
    pending = pending_of(delegated)

    factor = key_factor(pending.challenge, private_key(algorithm), "cr-user", kind)

    assert finish(delegated, pending, factor)["network"] == "Bitcoin"


@pytest.mark.parametrize("algorithm", ["ES256", "RS256", "Ed25519"])
def test_passkey_completes_a_call(delegated: Driven, emulator: Emulator, algorithm: str) -> None:
    emulator.enrol(public_pem(public_key(algorithm)), "cGFzc2tleQ", kind="Fido2")
    pending = pending_of(delegated)
    assert [entry["id"] for entry in pending.challenge["allowCredentials"]["webauthn"]] == [
        "cGFzc2tleQ"
    ]

    factor = fido2_factor(pending.challenge, private_key(algorithm), "cGFzc2tleQ")

    assert finish(delegated, pending, factor)["network"] == "Bitcoin"


def test_second_factor_completes_where_one_is_required(
    delegated: Driven, emulator: Emulator
) -> None:
    emulator.enrol(
        public_pem(public_key("ES256")), "cGFzc2tleQ", kind="Fido2", requires_second_factor=True
    )
    pending = pending_of(delegated)
    passkey = fido2_factor(pending.challenge, private_key("ES256"), "cGFzc2tleQ")
    key = key_factor(pending.challenge, private_key("Ed25519"), "cr-first")

    with pytest.raises(RequestError, match="second factor besides the Fido2 credential"):
        finish(delegated, pending, passkey)
    assert sent(emulator, ACTION) == []

    assert finish(delegated, pending, passkey, key)["network"] == "Bitcoin"


def test_second_factor_that_is_not_required_is_accepted_too(
    delegated: Driven, emulator: Emulator
) -> None:
    emulator.enrol(public_pem(public_key("ES256")), "cr-second")
    pending = pending_of(delegated)
    first, second = (
        key_factor(pending.challenge, private_key(algorithm), credential)
        for algorithm, credential in [("Ed25519", "cr-first"), ("ES256", "cr-second")]
    )

    assert finish(delegated, pending, first, second)["network"] == "Bitcoin"


MALFORMED: list[Any] = [
    None,
    "Key",
    7,
    [],
    {},
    {"kind": None},
    {"kind": 7},
    {"kind": []},
    {"kind": "key"},
    {"kind": "RecoveryKey"},
    {"credentialAssertion": {}},
]


@pytest.mark.parametrize("factor", [*MALFORMED, {"kind": "Totp", "otpCode": "123456"}])
def test_first_factor_that_is_none_is_refused_and_nothing_is_sent(
    scripted_delegated: Driven, api: ScriptedApi, factor: Any
) -> None:
    pending = pending_of(scripted_delegated)

    with pytest.raises(RequestError, match="first factor"):
        finish(scripted_delegated, pending, factor)

    assert [seen.target for seen in api.seen] == ["/auth/action/init"]


@pytest.mark.parametrize("factor", [*MALFORMED[1:], {"kind": "Password", "password": "x"}])
def test_second_factor_that_is_none_is_refused_and_nothing_is_sent(
    scripted_delegated: Driven, api: ScriptedApi, factor: Any
) -> None:
    pending = pending_of(scripted_delegated)
    first = key_factor(pending.challenge, private_key("Ed25519"), "cr-first")

    with pytest.raises(RequestError, match="second factor"):
        finish(scripted_delegated, pending, first, factor)

    assert [seen.target for seen in api.seen] == ["/auth/action/init"]


@pytest.mark.parametrize(
    "factor",
    [
        {"kind": "Key", "credentialAssertion": b"bytes"},
        {"kind": "Key", "credentialAssertion": {"credId": "\ud800"}},
    ],
)
def test_factor_that_is_no_json_is_refused_and_nothing_is_sent(
    scripted_delegated: Driven, api: ScriptedApi, factor: Any
) -> None:
    pending = pending_of(scripted_delegated)

    with pytest.raises(RequestError, match="JSON"):
        finish(scripted_delegated, pending, factor)

    assert [seen.target for seen in api.seen] == ["/auth/action/init"]


@pytest.mark.parametrize(
    "factor",
    [
        {"kind": "Key"},
        {"kind": "Key", "credentialAssertion": {}},
        {"kind": "Key", "credentialAssertion": {"credId": "cr-first"}},
    ],
)
def test_factor_without_an_assertion_is_refused_by_the_api_and_had_no_effect(
    delegated: Driven, factor: Any
) -> None:
    with pytest.raises(BadRequestError) as caught:
        finish(delegated, pending_of(delegated), factor)

    assert not caught.value.may_have_taken_effect


def test_assertion_of_another_challenge_is_refused_by_the_api(delegated: Driven) -> None:
    other, pending = pending_of(delegated), pending_of(delegated)
    factor = key_factor(other.challenge, private_key("Ed25519"), "cr-first")

    with pytest.raises((AuthenticationError, BadRequestError)):
        finish(delegated, pending, factor)


def test_signature_by_another_key_is_refused_by_the_api(delegated: Driven) -> None:
    pending = pending_of(delegated)
    factor = key_factor(pending.challenge, private_key("ES256"), "cr-first")

    with pytest.raises(AuthenticationError):
        finish(delegated, pending, factor)
