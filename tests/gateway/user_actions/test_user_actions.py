"""A user action of the gateway is for one call of one caller, once, for five minutes."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dfns_signers.gateway.callers.callers import Credential
from dfns_signers.gateway.user_actions.single_use import InMemory
from dfns_signers.gateway.user_actions.user_actions import LIFETIME, UserActions
from dfns_signers.operations import find_operation
from tests.core.keys import private_key, stranger
from tests.emulator.caller import compact
from tests.gateway.user_actions.exchanges import (
    ALLOWED,
    INIT,
    PAYMENTS,
    PLAIN,
    REPORTS,
    SIGNED_AS,
    Exchange,
    factor_for,
    incoming,
    new_exchange,
    refused,
)
from tests.gateway.user_actions.signing_callers import CREDENTIAL
from tests.support.answer_judge import misfit
from tests.support.clock import Clock

CREATE = {"network": "EthereumSepolia", "name": "é"}


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def sdk(clock: Clock) -> Exchange:
    return Exchange(UserActions([], InMemory(), clock, signed_as=SIGNED_AS))


def test_user_action_admits_the_call_that_was_announced_and_signed(sdk: Exchange) -> None:
    payload = json.dumps(CREATE)
    action = sdk.user_action("POST", "/wallets", payload)

    sdk.redeem(incoming("POST", "/wallets", payload.encode(), user_action=action))


def test_challenge_is_answered_as_dfns_does_and_names_the_key_of_the_caller(
    sdk: Exchange,
) -> None:
    operation = find_operation("POST", INIT)
    assert operation

    challenge = sdk.announce("POST", "/wallets")

    assert misfit(operation, compact(challenge)) == ""
    assert challenge["allowCredentials"]["key"] == [{"type": "public-key", "id": CREDENTIAL}]
    assert challenge["challenge"] != sdk.announce("POST", "/wallets")["challenge"]


def test_call_that_no_rule_allows_is_refused_when_it_is_announced(sdk: Exchange) -> None:
    with refused(403, "no-rule"):
        sdk.announce("POST", "/keys")


@pytest.mark.parametrize("announced", ["/wallets", "/wallets?force=true"])
def test_query_may_be_announced_or_left_out(announced: str) -> None:
    sdk = new_exchange(ALLOWED)
    action = sdk.user_action("POST", announced)

    sdk.redeem(incoming("POST", "/wallets", query="force=true", user_action=action))


@pytest.mark.parametrize("query", ["", "force=false", "force=true&a=b"])
def test_announced_query_must_be_sent(query: str) -> None:
    sdk = new_exchange(ALLOWED)
    action = sdk.user_action("POST", "/wallets?force=true")

    with refused(403, "user-action-call"):
        sdk.redeem(incoming("POST", "/wallets", query=query, user_action=action))


METHODS = st.sampled_from(["POST", "PUT", "DELETE"])
PATHS = st.sampled_from(["/wallets", "/wallets/wa-1", "/wallets/wa-2"])


@given(METHODS, PATHS, METHODS, PATHS)
def test_any_other_method_or_path_is_refused(
    method: str, path: str, other_method: str, other_path: str
) -> None:
    sdk = new_exchange(ALLOWED)
    action = sdk.user_action(method, path)
    request = incoming(other_method, other_path, user_action=action)

    if (method, path) == (other_method, other_path):
        sdk.redeem(request)
    else:
        with refused(403, "user-action-call"):
            sdk.redeem(request)


@given(st.text(max_size=200))
def test_any_other_token_is_refused(token: str) -> None:
    sdk = new_exchange()

    with refused(403, "user-action"):
        sdk.redeem(incoming("POST", "/wallets", user_action=token))


def test_user_action_is_used_once(sdk: Exchange) -> None:
    request = incoming("POST", "/wallets", user_action=sdk.user_action("POST", "/wallets"))
    sdk.redeem(request)

    with refused(403, "user-action-used"):
        sdk.redeem(request)


def test_challenge_is_answered_once(sdk: Exchange) -> None:
    challenge = sdk.announce("POST", "/wallets")
    sdk.complete(challenge)

    with refused(400, "challenge-used"):
        sdk.complete(challenge)


def test_challenge_can_be_answered_again_after_a_wrong_signature(sdk: Exchange) -> None:
    challenge = sdk.announce("POST", "/wallets")
    with refused(401, "signature"):
        sdk.complete(challenge, factor_for(challenge, stranger("ES256")))

    sdk.complete(challenge)


def test_challenge_that_is_too_old_is_refused(sdk: Exchange, clock: Clock) -> None:
    challenge = sdk.announce("POST", "/wallets")
    clock.now += LIFETIME

    with refused(400, "challenge"):
        sdk.complete(challenge)


def test_user_action_that_is_too_old_is_refused(sdk: Exchange, clock: Clock) -> None:
    action = sdk.user_action("POST", "/wallets")
    clock.now += LIFETIME

    with refused(403, "user-action"):
        sdk.redeem(incoming("POST", "/wallets", user_action=action))


def test_challenge_of_another_caller_with_the_same_key_is_refused(sdk: Exchange) -> None:
    challenge = sdk.announce("POST", "/wallets")
    other = Exchange(sdk.actions, REPORTS)

    with refused(400, "challenge"):
        other.complete(challenge)


def test_user_action_of_another_caller_with_the_same_key_is_refused(sdk: Exchange) -> None:
    action = sdk.user_action("POST", "/wallets")
    other = Exchange(sdk.actions, REPORTS)

    with refused(403, "user-action"):
        other.redeem(incoming("POST", "/wallets", user_action=action))


def test_challenge_identifier_is_not_a_user_action(sdk: Exchange) -> None:
    identifier = sdk.announce("POST", "/wallets")["challengeIdentifier"]

    with refused(403, "user-action"):
        sdk.redeem(incoming("POST", "/wallets", user_action=identifier))


def test_signature_with_another_key_is_refused(sdk: Exchange) -> None:
    challenge = sdk.announce("POST", "/wallets")

    with refused(401, "signature"):
        sdk.complete(challenge, factor_for(challenge, stranger("ES256")))


def test_signature_in_the_form_of_another_algorithm_is_refused(sdk: Exchange) -> None:
    challenge = sdk.announce("POST", "/wallets")

    with refused(400, "assertion"):
        sdk.complete(challenge, factor_for(challenge, private_key("Ed25519")))


def test_signature_of_another_challenge_is_refused(sdk: Exchange) -> None:
    one, other = sdk.announce("POST", "/wallets"), sdk.announce("POST", "/wallets")

    with refused(401, "signature"):
        sdk.complete(one, factor_for(other))


def test_assertion_that_names_another_credential_is_refused(sdk: Exchange) -> None:
    challenge = sdk.announce("POST", "/wallets")

    with refused(401, "credential"):
        sdk.complete(challenge, factor_for(challenge, credential="cr-1"))


@pytest.mark.parametrize("kind", ["PasswordProtectedKey", "Fido2", "Password", None])
def test_first_factor_of_another_kind_is_refused(sdk: Exchange, kind: str | None) -> None:
    challenge = sdk.announce("POST", "/wallets")

    with refused(400, "assertion"):
        sdk.complete(challenge, {**factor_for(challenge), "kind": kind})


def test_second_factor_is_refused(sdk: Exchange) -> None:
    challenge = sdk.announce("POST", "/wallets")

    with refused(400, "user-action-body"):
        sdk.complete(challenge, secondFactor=factor_for(challenge))


def test_open_challenge_ends_with_the_key_that_should_answer_it(sdk: Exchange) -> None:
    challenge = sdk.announce("POST", "/wallets")
    credential = Credential(CREDENTIAL, stranger("ES256").public_key())
    reloaded = Exchange(sdk.actions, replace(PAYMENTS, credential=credential))

    with refused(400, "challenge"):
        reloaded.complete(challenge, factor_for(challenge, stranger("ES256")))


def test_caller_with_a_credential_must_sign(sdk: Exchange) -> None:
    with refused(403, "user-action-missing") as refusals:
        sdk.redeem(incoming("POST", "/wallets"))

    assert "gateway caller add NAME --no-key" in str(refusals[0])


def test_caller_without_a_credential_has_no_challenge(sdk: Exchange) -> None:
    plain = Exchange(sdk.actions, PLAIN)

    with refused(403, "no-credential"):
        plain.announce("POST", "/wallets")
    with refused(403, "no-credential"):
        plain.complete(sdk.announce("POST", "/wallets"))


def test_caller_without_a_credential_brings_no_user_action(sdk: Exchange) -> None:
    plain = Exchange(sdk.actions, PLAIN)
    plain.redeem(incoming("POST", "/wallets"))

    with refused(403, "foreign-user-action"):
        plain.redeem(incoming("POST", "/wallets", user_action="eyJ0.eyJ0.c2ln"))


def test_open_challenge_is_not_stored(sdk: Exchange) -> None:
    used = InMemory()
    exchange = Exchange(UserActions([], used, Clock(), signed_as=SIGNED_AS))
    for _ in range(20):
        exchange.announce("POST", "/wallets")

    assert len(used) == 0


def test_replicas_with_one_seal_key_and_one_store_take_what_another_gave() -> None:
    used, clock = InMemory(), Clock()
    one, other = (
        Exchange(UserActions([b"k" * 32], used, clock, signed_as=SIGNED_AS)) for _ in range(2)
    )

    challenge = one.announce("POST", "/wallets")
    action = other.complete(challenge)
    one.redeem(incoming("POST", "/wallets", user_action=action))

    with refused(403, "user-action-used"):
        other.redeem(incoming("POST", "/wallets", user_action=action))


@pytest.mark.parametrize("signed_as", [("another", "cr-1"), ("the-organisation", "cr-2")])
def test_gateway_that_signs_for_another_takes_nothing_of_it(signed_as: tuple[str, str]) -> None:
    used, clock = InMemory(), Clock()
    one, other = (
        Exchange(UserActions([b"k" * 32], used, clock, signed_as=each))
        for each in (SIGNED_AS, signed_as)
    )
    challenge = one.announce("POST", "/wallets")
    action = one.complete(challenge)

    with refused(400, "challenge"):
        other.complete(one.announce("POST", "/wallets"))
    with refused(403, "user-action"):
        other.redeem(incoming("POST", "/wallets", user_action=action))

    one.redeem(incoming("POST", "/wallets", user_action=action))
