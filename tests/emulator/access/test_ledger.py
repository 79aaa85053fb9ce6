"""Tickets that are used or expired are forgotten, and refused all the same, each for its reason."""

from __future__ import annotations

import json
import weakref

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dfns_signers.emulator.access.ledger import Ledger, UnredeemableError
from dfns_signers.emulator.requests.wire import from_base64url, to_base64url
from tests.emulator.conftest import Clock

LIFETIME = 300.0


class Value:
    """What a ticket stands for."""


@pytest.fixture
def ledger(clock: Clock) -> Ledger[Value]:
    return Ledger[Value](clock, LIFETIME)


def refusal(ledger: Ledger[Value], ticket: str, holder: str = "us-1") -> str:
    with pytest.raises(UnredeemableError) as caught:
        ledger.redeem(ticket, holder)
    return caught.value.reason


def test_value_of_a_redeemed_ticket_is_let_go(ledger: Ledger[Value]) -> None:
    ticket = ledger.issue("us-1", Value())
    value = weakref.ref(ledger.redeem(ticket, "us-1"))

    assert value() is None
    assert len(ledger) == 0


@given(st.lists(st.floats(0, 2 * LIFETIME)))
def test_only_tickets_of_the_last_lifetime_are_remembered(pauses: list[float]) -> None:
    clock = Clock()
    ledger = Ledger[Value](clock, LIFETIME)
    issued = []
    for pause in pauses:
        clock.now += pause
        ledger.issue("us-1", Value())
        issued.append(clock.now)

    # A ticket says its expiry in whole seconds, and is forgotten then.
    recent = [then for then in issued if then + LIFETIME + 1 > clock.now]
    assert len(ledger) <= len(recent)


@pytest.mark.parametrize("late", [0, 0.5, 1, LIFETIME, 10 * LIFETIME])
@pytest.mark.parametrize("used", [True, False])
def test_ticket_that_was_forgotten_is_refused_as_expired(
    clock: Clock, ledger: Ledger[Value], used: bool, late: float
) -> None:
    ticket = ledger.issue("us-1", Value())
    if used:
        ledger.redeem(ticket, "us-1")
    clock.now += LIFETIME + late
    ledger.issue("us-1", Value())

    assert refusal(ledger, ticket) == "expired"
    assert refusal(ledger, ticket) == "expired"


def test_used_ticket_is_refused_as_used_until_it_would_have_expired(
    clock: Clock, ledger: Ledger[Value]
) -> None:
    ticket = ledger.issue("us-1", Value())
    ledger.redeem(ticket, "us-1")
    clock.now += LIFETIME - 0.1

    assert refusal(ledger, ticket) == "used"
    assert refusal(ledger, ticket, "us-2") == "used"


@pytest.mark.parametrize("lifetime", [0.25, 1.5])
def test_ticket_expires_within_a_second_where_its_lifetime_says_so(
    clock: Clock, lifetime: float
) -> None:
    ledger = Ledger[Value](clock, lifetime)
    early, late = ledger.issue("us-1", Value()), ledger.issue("us-1", Value())
    clock.now += lifetime - 0.125
    ledger.redeem(early, "us-1")
    clock.now += 0.125

    assert refusal(ledger, late) == "expired"


def test_ticket_tried_by_another_identity_is_used_up(ledger: Ledger[Value]) -> None:
    ticket = ledger.issue("us-1", Value())

    assert refusal(ledger, ticket, "us-2") == "foreign"
    assert refusal(ledger, ticket) == "used"


def test_ticket_of_another_ledger_is_unknown(clock: Clock, ledger: Ledger[Value]) -> None:
    ticket = Ledger[Value](clock, LIFETIME).issue("us-1", Value())

    assert refusal(ledger, ticket) == "unknown"


def test_ticket_with_a_later_expiry_written_into_it_is_unknown(ledger: Ledger[Value]) -> None:
    ticket = ledger.issue("us-1", Value())
    ledger.redeem(ticket, "us-1")
    header, claims, signature = ticket.split(".")
    later = {**json.loads(from_base64url(claims)), "exp": 4_000_000_000}
    forged = to_base64url(json.dumps(later).encode())

    assert refusal(ledger, f"{header}.{forged}.{signature}") == "unknown"


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_any_other_text_is_unknown(text: str) -> None:
    assert refusal(Ledger[Value](Clock(), LIFETIME), text) == "unknown"


def test_two_tickets_of_one_moment_differ(ledger: Ledger[Value]) -> None:
    assert ledger.issue("us-1", Value()) != ledger.issue("us-1", Value())
