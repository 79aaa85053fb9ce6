"""A call that fails is answered with what its caller can do, and with nothing of the operator's."""

from __future__ import annotations

import pytest

from dfns_signers.errors import (
    CallError,
    ChallengeError,
    ConfigurationError,
    DfnsSignersError,
    KeyAccessError,
    KeyStoreThrottledError,
    NoPermitError,
    PolicyRefusedError,
    RequestError,
    SigningRefusedError,
    TokenProviderError,
    TransportError,
    TransportTimeoutError,
    UnexpectedResponseError,
)
from dfns_signers.gateway.requests.failures import refusal_of

OPERATORS = "key arn:aws:kms:eu-west-1:1234:key/abcd at https://api.example"


def throttled(seconds: float = 2.2) -> KeyStoreThrottledError:
    error = KeyStoreThrottledError(OPERATORS)
    error.retry_after = seconds
    return error


@pytest.mark.parametrize(
    ("error", "status", "check"),
    [
        (SigningRefusedError(OPERATORS), 403, "guard"),
        (TransportTimeoutError(OPERATORS), 504, "upstream-timeout"),
        (TransportError(OPERATORS), 502, "upstream-connection"),
        (UnexpectedResponseError(OPERATORS), 502, "upstream-answer"),
        (CallError(OPERATORS), 502, "upstream-answer"),
        (throttled(), 503, "key-store"),
        (KeyAccessError(OPERATORS), 503, "key"),
        (ChallengeError(OPERATORS), 502, "signing"),
        (NoPermitError(OPERATORS), 429, "upstream-rate"),
        (TokenProviderError(OPERATORS), 503, "upstream-token"),
        (ConfigurationError(OPERATORS), 503, "upstream-token"),
        (PolicyRefusedError(OPERATORS, check="audit"), 503, "audit"),
        (DfnsSignersError(OPERATORS), 502, "upstream"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else str(value),
)
def test_failure_is_named_without_what_concerns_the_operator(
    error: DfnsSignersError, status: int, check: str
) -> None:
    refusal = refusal_of(error)

    assert (refusal.status, refusal.check) == (status, check)
    assert "arn" not in str(refusal)
    assert OPERATORS in refusal.detail


@pytest.mark.parametrize("uncertain", [True, False])
def test_failure_says_whether_the_call_may_have_taken_effect(uncertain: bool) -> None:
    error = TransportError("lost")
    error.may_have_taken_effect = uncertain

    refusal = refusal_of(error)

    assert refusal.may_have_taken_effect is uncertain
    assert ("took no effect" in str(refusal)) is not uncertain


def test_pause_of_the_key_store_is_rounded_up() -> None:
    assert refusal_of(throttled()).answer().headers["retry-after"] == "3"


@pytest.mark.parametrize("seconds", [float("inf"), float("nan")])
def test_pause_without_end_is_left_out(seconds: float) -> None:
    answer = refusal_of(throttled(seconds)).answer()

    assert answer.status == 503
    assert "retry-after" not in answer.headers


def test_rule_of_the_profile_is_named() -> None:
    refusal = refusal_of(PolicyRefusedError("the profile refuses", check="body", rule="payouts"))

    assert (refusal.status, refusal.check, refusal.rule) == (403, "body", "payouts")
    assert str(refusal) == "the profile refuses"


def test_rate_of_a_rule_says_how_long_to_wait() -> None:
    refusal = refusal_of(PolicyRefusedError("used up", check="rate", retry_after=4.0))

    assert (refusal.status, refusal.answer().headers["retry-after"]) == (429, "4")


def test_request_that_cannot_be_sent_is_that_of_the_caller() -> None:
    assert refusal_of(RequestError("odd")).status == 400
