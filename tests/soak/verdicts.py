"""What must hold of every call, whatever went wrong with it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from dfns_signers.client.results import ChangeRequest
from dfns_signers.errors import CallError, DfnsSignersError

_SHOWN = 5
_STEP_MEMBERS = {"challenge", "challengeIdentifier", "userAction"}


@dataclass(frozen=True)
class Outcome:
    """How a call ended.

    Attributes:
        label: the name that the call asked for.
        result: what it returned.
        error: what it raised instead.
        seconds: how long it took.
        is_cancelled: whether it was cancelled on purpose.
        is_raw: whether the answer was left to the caller, as ``UserActionAuth`` does.
    """

    label: str
    result: Any = None
    error: BaseException | None = None
    seconds: float = 0.0
    is_cancelled: bool = False
    is_raw: bool = False


@dataclass
class Violations:
    """Sentences about calls that ended as none may, and about what was left behind."""

    duplicates: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    foreign_answers: list[str] = field(default_factory=list)
    foreign_exceptions: list[str] = field(default_factory=list)
    false_denials: list[str] = field(default_factory=list)
    odd_messages: list[str] = field(default_factory=list)
    tasks: list[str] = field(default_factory=list)
    threads: list[str] = field(default_factory=list)
    sockets: list[str] = field(default_factory=list)
    memory: list[str] = field(default_factory=list)
    audit: list[str] = field(default_factory=list)

    def __bool__(self) -> bool:
        return any(vars(self).values())

    def __iter__(self) -> Iterator[tuple[str, list[str]]]:
        return iter(vars(self).items())

    def __str__(self) -> str:
        return "\n".join(
            f"{kind}: {sentence}"
            for kind, sentences in self
            for sentence in [*sentences[:_SHOWN], *_more(sentences)]
        )


def judge(outcomes: Sequence[Outcome], effects: Counter[str]) -> Violations:
    """Hold each call against the effects that the server counted, by label."""
    found = Violations()
    for outcome in outcomes:
        if effects[outcome.label] > 1:
            found.duplicates.append(f"{outcome.label} took effect {effects[outcome.label]} times")
        if outcome.is_cancelled or outcome.is_raw:
            continue
        if outcome.error is None:
            _judge_result(found, outcome, effects[outcome.label])
        else:
            _judge_error(found, outcome.label, outcome.error, effects[outcome.label])
    return found


def _judge_result(found: Violations, outcome: Outcome, effects: int) -> None:
    result = outcome.result
    if isinstance(result, ChangeRequest) or not effects:
        found.lost.append(f"{outcome.label} returned {_short(result)} and took no effect")
    if isinstance(result, Mapping):
        name = result.get("name", outcome.label)
        if name != outcome.label or _STEP_MEMBERS & result.keys():
            found.foreign_answers.append(f"{outcome.label} returned {_short(result)}")


def _judge_error(found: Violations, label: str, error: BaseException, effects: int) -> None:
    text = f"{label} raised {type(error).__name__}: {_short(error)}"
    if not isinstance(error, DfnsSignersError):
        found.foreign_exceptions.append(text)
    denies = not (isinstance(error, CallError) and error.may_have_taken_effect)
    if effects and denies:
        found.false_denials.append(text)
    if not str(error).replace("\n", " ").isprintable():
        found.odd_messages.append(text)


def _more(sentences: Sequence[str]) -> list[str]:
    return [f"and {len(sentences) - _SHOWN} more"] if len(sentences) > _SHOWN else []


def _short(value: object) -> str:
    """Of a result, the names of its members: those of a step are secrets."""
    if isinstance(value, Mapping):
        return f"{sorted(value)} named {value.get('name')!a}"
    return ascii(str(value))[:300]
