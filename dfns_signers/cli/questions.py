"""Ask the person at the terminal; where there is none, an error names the option to give."""

from __future__ import annotations

import getpass
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeVar

import typer

from dfns_signers.cli.output import note
from dfns_signers.errors import RequestError
from dfns_signers.sealed import Sealed

T = TypeVar("T", bound=str)


class Questions:
    """Questions of a command, each with the option that answers it beforehand.

    Args:
        assume_defaults: whether to take the default of a question that has one, and to ask nobody.

    Attributes:
        can_ask: whether somebody is at the terminal, and to be asked.
    """

    def __init__(self, *, assume_defaults: bool = False) -> None:
        self._assume_defaults = assume_defaults
        self.can_ask = _is_terminal() and not assume_defaults

    def text(
        self, question: str, option: str, *, default: str | None = None, optional: bool = False
    ) -> str | None:
        """A line of text; None where an optional one is left empty.

        Raises:
            RequestError: there is no default to be taken, and nobody to ask.
        """
        if not self.can_ask and optional and not default:
            return None
        if not self._asks(question, option, default):
            return default
        with _cancelled_by_interrupt():
            shown = default if default is not None else "" if optional else None
            answer: str = typer.prompt(question, default=shown, show_default=bool(shown), err=True)
        return answer.strip() or None

    def choice(
        self, question: str, option: str, choices: Mapping[T, str], *, default: T | None = None
    ) -> T:
        """One of some choices, given as their descriptions by name; by its number or its name.

        Raises:
            RequestError: there is no default to be taken, and nobody to ask.
        """
        if not self._asks(question, option, default, choices) and default is not None:
            return default
        names = list(choices)
        for number, name in enumerate(names, 1):
            note(f"  {number}  {name}" + (f"  ({choices[name]})" if choices[name] else ""))
        suggested = str(names.index(default) + 1) if default is not None else None
        by_answer = {str(number): name for number, name in enumerate(names, 1)}
        by_answer |= {str(name): name for name in names}
        while True:
            with _cancelled_by_interrupt():
                answer = str(typer.prompt(question, default=suggested, err=True)).strip()
            if answer in by_answer:
                return by_answer[answer]
            note(f"  expected a number from 1 to {len(names)}, or a name")

    def confirm(self, question: str) -> bool:
        """Whether the person agrees; only where somebody can be asked."""
        with _cancelled_by_interrupt():
            return bool(typer.confirm(question, err=True))

    def secret(self, question: str) -> Sealed[str]:
        """A secret, which the terminal does not show; only where somebody can be asked."""
        with _cancelled_by_interrupt():
            return Sealed(getpass.getpass(f"{question} (hidden): ", sys.stderr))

    def _asks(
        self, question: str, option: str, default: str | None, choices: Iterable[str] = ()
    ) -> bool:
        """Whether to ask; if not, there is a default to be taken."""
        if self.can_ask:
            return True
        if self._assume_defaults and default is not None:
            return False
        known = f" ({', '.join(choices)})" if choices else ""
        or_default = f", or take {default!r} with --yes" if default is not None else ""
        raise RequestError(
            f"{question!r} has no answer{known}, and there is nobody to ask: give {option}"
            f"{or_default}"
        )


def _is_terminal() -> bool:
    streams: tuple[Any, ...] = (sys.stdin, sys.stderr)
    return all(stream is not None and stream.isatty() for stream in streams)


@contextmanager
def _cancelled_by_interrupt() -> Iterator[None]:
    """Ctrl-C and Ctrl-D at a question end the command as Ctrl-C does anywhere else."""
    try:
        yield
    except (typer.Abort, EOFError):
        raise KeyboardInterrupt from None
