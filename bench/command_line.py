"""What a command takes, from its start to its end."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from bench.cold_starts import STORES, environment
from bench.measuring import Effort, children_in_turns
from bench.table import Goal, Row

_RUN: Final = "import sys; from dfns_signers.cli import main; sys.argv[0] = 'dfns-signers'; main()"
_INPUT: Final = (
    'import io, sys; sys.stdin = io.TextIOWrapper(io.BytesIO(b\'{"challenge": "Y2g"}\')); '
)
_GOALS: Final = {"--version": 100, "--help": 190, "sign": 230}
_BESIDE: Final = {
    "typer": ["-c", "import typer"],
    "typer and rich": ["-c", "import typer, typer.rich_utils"],
    "pydantic": ["-c", "import pydantic\nclass Model(pydantic.BaseModel):\n    number: int"],
}


def rows(effort: Effort) -> Iterator[Row]:
    """A row for each command."""
    rounds = effort.of(15)
    commands = {name: ["-c", _INPUT + _RUN, name] for name in _GOALS}
    pem = STORES[0]
    with pem.signers() as signers:
        samples = children_in_turns(
            {**_BESIDE, **commands},
            rounds=rounds,
            environment=environment(pem, signers),
            above_python=True,
        )
    for command, goal in _GOALS.items():
        yield Row(
            f"command line, {command}",
            samples.of(command, factor=1e3),
            "ms CPU",
            f"{rounds} processes each, above a Python that does nothing",
            {name: samples.of(name, factor=1e3) for name in _BESIDE},
            Goal(at_most=goal),
        )
