"""The judge finds each way in which a call may not end."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from dfns_signers.client.results import ChangeRequest
from dfns_signers.errors import ApiError, ConfigurationError, TransportError
from tests.soak.verdicts import Outcome, judge

OWN = {"id": "wa-1", "name": "call-1-1"}


def uncertain(message: str = "lost") -> TransportError:
    error = TransportError(message)
    error.may_have_taken_effect = True
    return error


def found(effects: int, **outcome: Any) -> set[str]:
    """The kinds of violation of one call."""
    violations = judge([Outcome("call-1-1", **outcome)], Counter({"call-1-1": effects}))
    return {kind for kind, sentences in violations if sentences}


@pytest.mark.parametrize(
    ("effects", "outcome"),
    [
        (1, {"result": OWN}),
        (0, {"error": TransportError("refused")}),
        (0, {"error": ConfigurationError("no signer")}),
        (0, {"error": uncertain()}),
        (1, {"error": uncertain()}),
        (1, {"is_cancelled": True}),
        (0, {"is_cancelled": True}),
        (1, {"error": RuntimeError("of httpx"), "is_raw": True}),
    ],
)
def test_calls_that_end_well(effects: int, outcome: dict[str, Any]) -> None:
    assert found(effects, **outcome) == set()


@pytest.mark.parametrize(
    ("kind", "effects", "outcome"),
    [
        ("duplicates", 2, {"result": OWN}),
        ("duplicates", 2, {"is_cancelled": True}),
        ("duplicates", 2, {"is_raw": True}),
        ("lost", 0, {"result": OWN}),
        ("lost", 1, {"result": ChangeRequest({})}),
        ("foreign_answers", 1, {"result": {"id": "wa-2", "name": "call-1-2"}}),
        ("foreign_answers", 1, {"result": {"userAction": "ua"}}),
        ("foreign_answers", 1, {"result": {"challenge": "ch"}}),
        ("foreign_exceptions", 0, {"error": RecursionError()}),
        ("false_denials", 1, {"error": ApiError("408")}),
        ("false_denials", 1, {"error": ConfigurationError("closed")}),
        ("odd_messages", 1, {"error": uncertain("\x1b[31m")}),
        ("odd_messages", 1, {"error": uncertain("\ud800")}),
    ],
)
def test_calls_that_end_as_none_may(kind: str, effects: int, outcome: dict[str, Any]) -> None:
    assert found(effects, **outcome) == {kind}


def test_what_is_shown_of_a_foreign_answer_is_no_secret() -> None:
    outcome = Outcome("call-1-1", {"userAction": "secret-user-action"})

    violations = judge([outcome], Counter({"call-1-1": 1}))

    assert "userAction" in str(violations)
    assert "secret-user-action" not in str(violations)
