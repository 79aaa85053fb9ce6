"""How a backend asks its key store: explained, repeated, within one deadline."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dfns_signers import deadlines
from dfns_signers.errors import (
    ConfigurationError,
    KeyAccessError,
    KeyNotFoundError,
    KeyStoreThrottledError,
    KeyStoreUnavailableError,
)
from dfns_signers.key_store import (
    Attempt,
    Failure,
    KeyPendingError,
    KeyStore,
    Meaning,
    explained,
    quoted,
)
from tests.support.clock import Clock

AWAY = Meaning(KeyStoreUnavailableError, "try again")
BUSY = Meaning(KeyStoreThrottledError, "sign less often")
GONE = Meaning(KeyNotFoundError, "check the name")
DENIED = Meaning(KeyAccessError, "allow hsm:Sign", may_quote=False)


class HsmError(Exception):
    """What the client library of a key store raises."""


def explaining(meaning: Meaning, **details: Any) -> Callable[[Exception], Failure | None]:
    def explain(error: Exception) -> Failure | None:
        return Failure(meaning, **details) if isinstance(error, HsmError) else None

    return explain


class Store:
    """Fails as often as it is told to; remembers the attempts."""

    def __init__(self, failures: int, error: Exception | None = None) -> None:
        self.failures = failures
        self.error = error or HsmError("down")
        self.attempts: list[Attempt] = []

    def send(self, attempt: Attempt) -> str:
        self.attempts.append(attempt)
        if len(self.attempts) <= self.failures:
            raise self.error
        return "signature"


def asked(
    store: Store, clock: Clock, meaning: Meaning = AWAY, *, repeat: bool = True, **options: Any
) -> str:
    details = options.pop("details", {})
    explain = explaining(meaning, **details)
    key_store = KeyStore("HSM", explain, sleep=clock.sleep, clock=clock, **options)
    return key_store.ask("sign with the key k", store.send, repeat=repeat)


def test_answer_of_the_first_attempt_is_returned_at_once() -> None:
    store, clock = Store(failures=0), Clock()

    assert asked(store, clock) == "signature"
    assert store.attempts == [Attempt(1, 3, None)]
    assert clock.pauses == []


def test_failure_that_may_pass_is_repeated_until_it_succeeds() -> None:
    store, clock = Store(failures=2), Clock()

    assert asked(store, clock) == "signature"
    assert [attempt.number for attempt in store.attempts] == [1, 2, 3]
    assert all(0 < pause <= 8 for pause in clock.pauses)


def test_last_failure_is_raised_with_the_attempts_that_were_made() -> None:
    store, clock = Store(failures=9), Clock()

    with pytest.raises(KeyStoreUnavailableError) as caught:
        asked(store, clock, max_attempts=4, details={"said": "Down.", "request_id": "r-1"})

    assert str(caught.value) == (
        "cannot sign with the key k: Down; try again (HSM request id r-1, attempt 4 of 4)"
    )
    assert caught.value.__cause__ is store.error


def test_refusal_is_not_repeated() -> None:
    store, clock = Store(failures=9), Clock()

    with pytest.raises(KeyNotFoundError, match=r"check the name \(attempt 1 of 3\)$"):
        asked(store, clock, GONE)

    assert len(store.attempts) == 1


def test_request_that_must_not_be_repeated_is_sent_once() -> None:
    store, clock = Store(failures=9), Clock()

    with pytest.raises(KeyStoreUnavailableError, match=r"try again$"):
        asked(store, clock, repeat=False)

    assert store.attempts == [Attempt(1, 1, None)]


@pytest.mark.parametrize("seconds", [0.0, 7.0, 30.0])
def test_pause_is_what_the_key_store_asked_for(seconds: float) -> None:
    store, clock = Store(failures=1), Clock()

    asked(store, clock, BUSY, details={"retry_after": seconds})

    assert clock.pauses == [seconds]


def test_key_store_that_asks_for_too_long_gets_its_error_reported_at_once() -> None:
    store, clock = Store(failures=1), Clock()

    with pytest.raises(KeyStoreThrottledError) as caught:
        asked(store, clock, BUSY, details={"retry_after": 31.0})

    assert (caught.value.retry_after, clock.pauses) == (31.0, [])


@pytest.mark.parametrize("timeout", [10, 12])
def test_no_attempt_begins_at_the_deadline_or_after_it(timeout: float) -> None:
    store, clock = Store(failures=9), Clock()

    with pytest.raises(KeyStoreUnavailableError, match="attempt 2 of 9"):
        asked(store, clock, max_attempts=9, timeout=timeout, details={"retry_after": 6.0})

    assert [attempt.remaining for attempt in store.attempts] == [timeout, timeout - 6]


@pytest.mark.parametrize("timeout", [None, 60])
def test_time_that_is_left_to_the_caller_bounds_the_attempts_too(timeout: float | None) -> None:
    store, clock = Store(failures=2), Clock()

    with deadlines.within(0), pytest.raises(KeyStoreUnavailableError):
        asked(store, clock, timeout=timeout)

    assert len(store.attempts) == 1
    assert store.attempts[0].remaining == pytest.approx(0.001)


def test_attempt_runs_within_the_time_that_it_has() -> None:
    seen: list[float | None] = []

    KeyStore("HSM", explaining(AWAY), timeout=60).ask(
        "sign", lambda _: seen.append(deadlines.remaining())
    )
    KeyStore("HSM", explaining(AWAY)).ask("sign", lambda _: seen.append(deadlines.remaining()))

    bounded, unbounded = seen
    assert bounded is not None
    assert 0 < bounded <= 60
    assert unbounded is None


def test_errors_of_ours_pass_as_they_are_whatever_would_explain_them() -> None:
    ours, context = KeyAccessError("no token"), OSError("no file")

    def send(_: Attempt) -> str:
        try:
            raise context
        except OSError:
            raise ours  # noqa: B904  # without a cause

    with pytest.raises(KeyAccessError) as caught:
        KeyStore("HSM", lambda _: Failure(AWAY), max_attempts=1).ask("sign", send)

    assert caught.value is ours
    assert caught.value.__context__ is context


def test_exception_that_does_not_come_from_the_provider_passes_as_it_is() -> None:
    store = Store(failures=1, error=ZeroDivisionError("a bug"))

    with pytest.raises(ZeroDivisionError, match="a bug"):
        asked(store, Clock())

    assert len(store.attempts) == 1


def test_request_may_say_itself_what_its_errors_mean() -> None:
    store = KeyStore("HSM", explaining(AWAY), max_attempts=1)

    with pytest.raises(KeyNotFoundError, match="check the name"):
        store.ask("read the key k", Store(failures=1).send, explain=explaining(GONE))


class BeingMade:
    """A key that is being made until it was looked at so often; remembers how often that was."""

    def __init__(self, looks: float) -> None:
        self.looks = looks
        self.looked = 0

    def look(self) -> str:
        self.looked += 1
        if self.looked < self.looks:
            raise KeyPendingError(f"look {self.looked}")
        return "key"


def test_key_that_is_being_made_is_looked_at_each_second_until_it_is_ready() -> None:
    clock = Clock()
    store = KeyStore("HSM", explaining(AWAY), sleep=clock.sleep, clock=clock)

    assert store.once_ready(BeingMade(3).look, timeout=60) == "key"
    assert clock.pauses == [1.0, 1.0]


@pytest.mark.parametrize(("timeout", "pauses"), [(0, []), (2, [1.0, 1.0]), (2.5, [1.0, 1.0, 0.5])])
def test_key_that_is_not_ready_in_time_is_looked_at_once_more_at_the_end(
    timeout: float, pauses: list[float]
) -> None:
    clock, key = Clock(), BeingMade(float("inf"))
    store = KeyStore("HSM", explaining(AWAY), sleep=clock.sleep, clock=clock)

    with pytest.raises(KeyPendingError, match=f"look {len(pauses) + 1}"):
        store.once_ready(key.look, timeout=timeout)

    assert clock.pauses == pauses


def test_text_that_may_repeat_credentials_is_neither_quoted_nor_a_cause() -> None:
    with (
        pytest.raises(KeyAccessError) as caught,
        explained("sign", provider="HSM", explain=explaining(DENIED)),
    ):
        raise HsmError("token=secret")

    assert str(caught.value) == "cannot sign: allow hsm:Sign"
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


@given(text=st.text())
def test_quoted_text_is_one_printable_line_of_bounded_length(text: str) -> None:
    line = quoted(text)

    assert line.isprintable()
    assert len(line) <= 600
    assert quoted(line) == line


def test_quoted_text_keeps_its_words_and_drops_its_full_stop() -> None:
    assert quoted("Access\n denied \x1b[2J for user.") == "Access denied [2J for user"


def test_quoted_text_is_cut_after_600_characters() -> None:
    assert quoted("a" * 600) == "a" * 600
    assert quoted("a" * 601) == "a" * 599 + "…"


def test_request_id_is_quoted_on_one_line() -> None:
    store = Store(failures=1)

    with pytest.raises(KeyNotFoundError, match=r"HSM request id r 1 \[2J,"):
        asked(store, Clock(), GONE, details={"request_id": "r\n1 \x1b[2J"})


def test_text_that_may_repeat_credentials_is_not_kept_as_context_either() -> None:
    store = Store(failures=1, error=HsmError("token=secret"))

    with pytest.raises(KeyAccessError) as caught:
        asked(store, Clock(), DENIED)

    assert (caught.value.__cause__, caught.value.__context__) == (None, None)


@pytest.mark.parametrize("seconds", [-5.0, float("nan")])
def test_nonsense_that_a_key_store_asks_for_is_no_pause_of_its_own(seconds: float) -> None:
    store, clock = Store(failures=1), Clock()

    asked(store, clock, BUSY, details={"retry_after": seconds})

    assert len(clock.pauses) == 1
    assert 0 <= clock.pauses[0] <= 8


def test_no_attempts_at_all_are_refused() -> None:
    with pytest.raises(ConfigurationError, match="'max_attempts' must be 1 or more, not 0"):
        KeyStore("HSM", explaining(AWAY), max_attempts=0)
