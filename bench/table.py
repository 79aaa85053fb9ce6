"""The table of ``make bench``: what a figure is, its goal, and how it is printed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from bench.measuring import Spread


@dataclass(frozen=True)
class Goal:
    """What a figure should be; the goal of a time counts on the machine that it was set on."""

    at_most: float | None = None
    at_least: float | None = None

    def is_met_by(self, figure: float) -> bool:
        """Whether a figure is within the goal."""
        return (self.at_most is None or figure <= self.at_most) and (
            self.at_least is None or figure >= self.at_least
        )

    def __str__(self) -> str:
        bounds = (("≤", self.at_most), ("≥", self.at_least))
        return " ".join(f"{sign} {bound:g}" for sign, bound in bounds if bound is not None)


@dataclass(frozen=True)
class Row:
    """One line.

    Attributes:
        what: what was measured, such as ``assertion, Ed25519``.
        ours: the figure.
        unit: such as ``ms CPU`` or ``of bare``.
        beside: figures of the same unit to compare with, taken in the same run.
        goal: what ours should be, if there is a goal.
        how: rounds, calls, server and whatever a reader needs to take it again.
    """

    what: str
    ours: Spread
    unit: str
    how: str
    beside: Mapping[str, Spread] = field(default_factory=dict)
    goal: Goal | None = None

    @property
    def is_missed(self) -> bool:
        """Whether there is a goal, and the median misses it."""
        return self.goal is not None and not self.goal.is_met_by(self.ours.median)

    def as_json(self) -> dict[str, Any]:
        """The row for JSON, as ``from_json`` takes it."""
        return asdict(self)

    @classmethod
    def from_json(cls, row: Mapping[str, Any]) -> Row:
        """A row from what ``as_json`` returned."""
        beside = {name: Spread(**spread) for name, spread in row["beside"].items()}
        goal = Goal(**row["goal"]) if row["goal"] else None
        ours = Spread(**row["ours"])
        return cls(**{**row, "ours": ours, "beside": beside, "goal": goal})


def markdown(rows: Iterable[Row]) -> str:
    """The table in Markdown."""
    lines = ["| what | ours | beside | goal | | how |", "|---|---|---|---|---|---|"]
    lines += [f"| {' | '.join(_cells(row))} |" for row in rows]
    return "\n".join(lines)


def line(row: Row) -> str:
    """A row for the terminal."""
    what, ours, beside, goal, met, _ = _cells(row)
    compared = f"  (beside {beside})" if beside else ""
    wanted = f"  goal {goal}: {met}" if goal else ""
    return f"  {what}: {ours}{compared}{wanted}"


def _cells(row: Row) -> tuple[str, ...]:
    beside = "; ".join(f"{name} {_shown(spread)}" for name, spread in row.beside.items())
    goal = "" if row.goal is None else str(row.goal)
    met = "" if row.goal is None else "missed" if row.is_missed else "met"
    return row.what, f"{_shown(row.ours)} {row.unit}", beside, goal, met, row.how


def _shown(spread: Spread) -> str:
    if spread.low == spread.high:
        return _figure(spread.median)
    return f"{_figure(spread.median)} [{_figure(spread.low)} to {_figure(spread.high)}]"


def _figure(number: float) -> str:
    return f"{number:,.0f}" if abs(number) >= 100 else f"{number:.3g}"  # noqa: PLR2004
