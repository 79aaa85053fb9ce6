"""Which policies on ``Wallets:Sign`` an activity triggers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dfns_signers.emulator.policies.rules import evaluate
from dfns_signers.emulator.requests.wire import iso_date
from dfns_signers.emulator.state import Record, State
from tests.emulator.policy_bodies import ALWAYS
from tests.emulator.states import NOW, empty_state

MINUTE = 60
USDC = {"symbol": "USDC", "decimals": 6, "quotes": {"USD": 2.0}}


def memory() -> State:
    """An emulator with a wallet ``wa-1`` that has tags."""
    state = empty_state()
    state.wallets.add({"id": "wa-1", "signingKey": {"id": "key-1"}, "tags": ["hot", "eu"]})
    return state


def transfer(identifier: str = "xfr-1", *, at: float = NOW, **body: Any) -> Record:
    return {
        "id": identifier,
        "walletId": "wa-1",
        "requestBody": body,
        "metadata": {"asset": USDC},
        "dateRequested": iso_date(at),
    }


def triggered(
    state: State,
    request: Record,
    *,
    rule: Mapping[str, Any] = ALWAYS,
    filters: Mapping[str, Any] | None = None,
) -> bool | None:
    """Whether a policy is triggered; None if its filters pass the activity over."""
    state.policies.add(
        {
            "id": "plc-1",
            "status": "Active",
            "activityKind": "Wallets:Sign",
            "rule": rule,
            **({} if filters is None else {"filters": filters}),
        }
    )
    found = evaluate(state, "Wallets:Sign", {"transferRequest": request})
    return found[0].triggered if found else None


@pytest.mark.parametrize(
    ("filters", "concerned"),
    [
        (None, True),
        ({}, True),
        ({"walletId": {"in": ["wa-1", "wa-2"]}}, True),
        ({"walletId": {"in": ["wa-2"]}}, False),
        ({"walletId": {"in": []}}, False),
        ({"walletTags": {"hasAny": ["cold", "hot"]}}, True),
        ({"walletTags": {"hasAny": ["cold"]}}, False),
        ({"walletTags": {"hasAll": ["eu", "hot"]}}, True),
        ({"walletTags": {"hasAll": ["eu", "cold"]}}, False),
        ({"walletTags": {"hasAny": ["hot"], "hasAll": ["cold"]}}, False),
        ({"walletId": {"in": ["wa-1"]}, "walletTags": {"hasAny": ["cold"]}}, False),
    ],
)
@pytest.mark.parametrize("by_key", [True, False])
def test_policy_concerns_the_wallets_that_pass_every_filter(
    filters: Mapping[str, Any] | None, concerned: bool, by_key: bool
) -> None:
    request = {"id": "sig-1", "keyId": "key-1"} if by_key else transfer()

    assert triggered(memory(), request, filters=filters) is (True if concerned else None)


def test_filtered_policy_does_not_concern_a_key_without_a_wallet() -> None:
    filters = {"walletId": {"in": ["wa-1"]}}

    assert triggered(memory(), {"id": "sig-1", "keyId": "key-2"}, filters=filters) is None


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"to": "0xAB"}, False),
        ({"to": "0xcd"}, True),
        ({"to": "abc"}, True),
        ({"to": "ABC"}, False),
        ({"userOperations": [{"to": "0xab"}, {"to": "0xab"}]}, False),
        ({"userOperations": [{"to": "0xab"}, {"to": "0xcd"}]}, True),
        ({"transaction": "0x00"}, True),
    ],
)
def test_recipient_that_is_not_on_the_whitelist_or_unknown_triggers(
    body: dict[str, Any], expected: bool
) -> None:
    configuration = {"addresses": ["0xaB", "ABC"]}
    rule = {"kind": "TransactionRecipientWhitelist", "configuration": configuration}

    assert triggered(memory(), transfer(**body), rule=rule) is expected


@given(amount=st.integers(0, 10**30), limit=st.integers(0, 10**24))
def test_amount_above_the_limit_triggers(amount: int, limit: int) -> None:
    configuration = {"limit": limit, "currency": "USD"}
    rule = {"kind": "TransactionAmountLimit", "configuration": configuration}

    found = triggered(memory(), transfer(amount=str(amount)), rule=rule)

    dollars = amount * 2 / 10**6
    assert found is (dollars > limit)


@pytest.mark.parametrize("kind", ["TransactionAmountLimit", "TransactionAmountVelocity"])
def test_amount_that_has_no_price_triggers(kind: str) -> None:
    request = {**transfer(amount="1"), "metadata": {"asset": {"symbol": "X", "decimals": 1}}}
    configuration = {"limit": 10**9, "currency": "USD", "timeframe": 1}

    assert triggered(memory(), request, rule={"kind": kind, "configuration": configuration})


@pytest.mark.parametrize(("minutes_ago", "expected"), [(9, True), (11, False)])
@pytest.mark.parametrize(
    ("kind", "limit"), [("TransactionAmountVelocity", 3), ("TransactionCountVelocity", 1)]
)
def test_velocity_adds_what_the_wallet_did_in_the_timeframe(
    kind: str, limit: int, minutes_ago: int, expected: bool
) -> None:
    state = memory()
    state.collection("Transfer").add(
        transfer("xfr-0", at=NOW - minutes_ago * MINUTE, amount="1000000")
    )
    elsewhere = {**transfer("xfr-2", amount="1000000"), "walletId": "wa-2"}
    state.collection("Transfer").add(elsewhere)
    request = state.collection("Transfer").add(transfer(amount="1000000"))
    configuration = {"limit": limit, "currency": "USD", "timeframe": 10}

    found = triggered(state, request, rule={"kind": kind, "configuration": configuration})

    assert found is expected


@given(timeframe=st.floats(allow_nan=False, allow_infinity=False))
def test_any_timeframe_is_understood(timeframe: float) -> None:
    rule = {
        "kind": "TransactionCountVelocity",
        "configuration": {"limit": 1, "timeframe": timeframe},
    }

    assert triggered(memory(), transfer(), rule=rule) is False


@pytest.mark.parametrize(
    "kind",
    [
        "ChainalysisTransactionPrescreening",
        "GlobalLedgerTransactionPrescreening",
        "TravelRuleTransactionPrescreening",
    ],
)
def test_rule_that_asks_another_service_does_not_trigger(kind: str) -> None:
    assert triggered(memory(), transfer(), rule={"kind": kind, "configuration": {}}) is False
