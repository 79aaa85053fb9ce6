"""One check of an examination: run in its time, and its error or warnings made findings."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Final, Generic, TypeAlias, TypeVar

from dfns_signers import deadlines
from dfns_signers.backends.diagnosis import Finding, Severity
from dfns_signers.errors import CallError, DfnsSignersError

T = TypeVar("T")

Findings: TypeAlias = Generator[Finding, None, T]
"""The findings of some checks, and what later checks need of them."""

_noted: Final[ContextVar[list[str] | None]] = ContextVar("dfns_signers_noted", default=None)
_package: Final = logging.getLogger("dfns_signers")


@dataclass(frozen=True, slots=True)
class Checked(Generic[T]):
    """What a check returned.

    Attributes:
        value: the result.
        seconds: how long it took.
    """

    value: T
    seconds: float


def checked(
    check: str,
    function: Callable[[], T],
    remedy: str,
    *,
    within: float | None = None,
    warns: bool = True,
) -> Findings[Checked[T] | None]:
    """Run a check: its error is a failure, and what this package warns of meanwhile a warning.

    Args:
        check: its name.
        function: what is run; it keeps to ``deadlines``.
        remedy: what to do where it fails.
        within: seconds that it may take.
        warns: whether warnings are findings; not where an earlier check had the same ones.

    Returns:
        What the function returned; None where it failed.
    """
    begin = time.perf_counter()
    failure = ""
    result: list[T] = []
    with _warnings_noted() as warnings, deadlines.within(within):
        try:
            result.append(function())
        except DfnsSignersError as error:
            failure = explained(error)
    seconds = time.perf_counter() - begin
    yield from (warning(check, *_parted(text)) for text in warnings if warns)
    if failure:
        yield Finding(check, Severity.FAILURE, failure, remedy, seconds)
        return None
    return Checked(result[0], seconds)


def ok(check: str, message: str, seconds: float | None = None) -> Finding:
    """What is in order."""
    return Finding(check, Severity.OK, message, seconds=seconds)


def warning(check: str, message: str, remedy: str, seconds: float | None = None) -> Finding:
    """What works, and should not stay as it is."""
    return Finding(check, Severity.WARNING, message, remedy, seconds)


def failure(check: str, message: str, remedy: str, seconds: float | None = None) -> Finding:
    """What keeps calls from working."""
    return Finding(check, Severity.FAILURE, message, remedy, seconds)


def not_examined(reason: str, *checks: str) -> Iterator[Finding]:
    """The checks that an earlier failure makes impossible."""
    for check in checks:
        yield warning(check, f"not examined: {reason}", "correct that first")


def explained(error: DfnsSignersError) -> str:
    """The message of an error, without what a call may have changed: those of a check only read."""
    return str(error.args[0]) if isinstance(error, CallError) else str(error)


class _Notes(logging.Handler):
    """Keeps the warnings that are logged in the context of a check, worker threads included."""

    def emit(self, record: logging.LogRecord) -> None:
        noted = _noted.get()
        if noted is not None and record.levelno >= logging.WARNING:
            noted.append(record.getMessage())


@contextmanager
def _warnings_noted() -> Iterator[list[str]]:
    notes, handler = list[str](), _Notes()
    token = _noted.set(notes)
    _package.addHandler(handler)
    try:
        yield notes
    finally:
        _package.removeHandler(handler)
        _noted.reset(token)


def _parted(text: str) -> tuple[str, str]:
    """A logged warning as finding and remedy, which follows a semicolon or a colon in ours."""
    for separator in ("; ", ": set "):
        message, found, remedy = text.rpartition(separator)
        if found:
            return message, f"{separator.lstrip('; :')}{remedy}"
    return text, "unset it, or set it in one place only"
