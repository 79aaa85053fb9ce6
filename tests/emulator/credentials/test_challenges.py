"""Challenges, of assertions and of registrations alike."""

from __future__ import annotations

import pytest

from tests.emulator.caller import Caller, answered, refused
from tests.emulator.conftest import Clock
from tests.emulator.flows import ACTION, FLOWS, REGISTRATION, Flow, put

each_flow = pytest.mark.parametrize("flow", FLOWS, ids=lambda flow: flow.name)


@each_flow
def test_challenge_is_accepted_until_it_expires(caller: Caller, clock: Clock, flow: Flow) -> None:
    body = flow.correct(caller, flow.begin(caller))
    clock.now += 299.9

    answered(flow.send(caller, body))


@each_flow
def test_challenge_is_refused_once_it_expires(caller: Caller, clock: Clock, flow: Flow) -> None:
    body = flow.correct(caller, flow.begin(caller))
    clock.now += 300

    refused(flow.send(caller, body), 400, "challenge.expired", "300 s after it was issued")


@each_flow
def test_challenge_is_used_up_by_a_failed_attempt(caller: Caller, flow: Flow) -> None:
    body = flow.correct(caller, flow.begin(caller))
    spoiled = flow.body(caller, {**body}, b"{}")
    refused(flow.send(caller, spoiled), 400, "clientData.type")

    refused(flow.send(caller, body), 400, "challenge.used")


def test_challenge_is_left_by_an_attempt_that_is_not_well_formed(caller: Caller) -> None:
    body = ACTION.correct(caller, caller.challenge())
    malformed = ACTION.correct(caller, caller.challenge())
    put("challengeIdentifier", body["challengeIdentifier"])(malformed)
    put("firstFactor.credentialAssertion.signature", "")(malformed)
    refused(ACTION.send(caller, malformed), 400, "field.value")

    answered(ACTION.send(caller, body))


@pytest.mark.parametrize(
    ("issued", "used"), [(ACTION, REGISTRATION), (REGISTRATION, ACTION)], ids=["action", "new"]
)
def test_challenge_of_one_purpose_is_unknown_to_the_other(
    caller: Caller, issued: Flow, used: Flow
) -> None:
    body = used.correct(caller, issued.begin(caller))

    refused(used.send(caller, body), 400, "challenge.unknown")
