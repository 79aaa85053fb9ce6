"""Print results: colour and tables for a terminal, plain text for a pipe.

rich is imported by what prints with it: most commands print plain JSON, or nothing.
"""

from __future__ import annotations

import io
import json
import logging
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Final

import typer

_PIPE_WIDTH: Final = 10_000
"""Columns; no cell is folded for a program that reads the table."""


def print_json(value: Any) -> None:
    """JSON on standard output, indented; coloured on a terminal."""
    text = json.dumps(value, indent=2, ensure_ascii=False)
    if not _has_codes_for(text):
        text = json.dumps(value, indent=2)
    if sys.stdout and sys.stdout.isatty():
        # A terminal obeys what a server may have put into a name; JSON has escapes for it.
        shown = "".join(c if c.isprintable() or c == "\n" else json.dumps(c)[1:-1] for c in text)
        from rich.console import Console  # noqa: PLC0415
        from rich.highlighter import JSONHighlighter  # noqa: PLC0415

        Console(soft_wrap=True).print(JSONHighlighter()(shown))
    else:
        typer.echo(text)


def print_table(title: str, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """A table on standard output: folded to fit a terminal, and whole in a pipe."""
    from rich.console import Console  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    table = Table(show_lines=False)
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        # As Text, for otherwise "[::1]" in a value would be markup.
        table.add_row(*(Text(printable(cell)) for cell in row))
    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=_PIPE_WIDTH)
    # Not as the table's own title, which would be folded to the width of the table.
    console.print(Text(printable(title), style="table.title"), soft_wrap=True)
    console.print(table)


def note(message: str) -> None:
    """A remark for people, on standard error."""
    from rich.console import Console  # noqa: PLC0415

    Console(stderr=True, highlight=False, soft_wrap=True).print(printable(message), markup=False)


@contextmanager
def warnings_shown() -> Iterator[None]:
    """Show what is logged at WARNING and above on standard error, a line for each."""
    handler = logging.StreamHandler()
    handler.setLevel(logging.WARNING)
    handler.setFormatter(_WarningFormatter())
    root = logging.getLogger()
    root.addHandler(handler)
    try:
        yield
    finally:
        root.removeHandler(handler)


def logged_lines(name: str) -> AbstractContextManager[None]:
    """Show what a logger logs at INFO on standard error, a line for each record."""
    handler = logging.StreamHandler()
    handler.setFormatter(_LineFormatter())
    return logged_to(handler, name)


@contextmanager
def logged_to(handler: logging.Handler, name: str) -> Iterator[None]:
    """Give a handler what a logger logs at INFO."""
    logger = logging.getLogger(name)
    before = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    try:
        yield
    finally:
        logger.setLevel(before)
        logger.removeHandler(handler)


class _LineFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        """The message, and nothing of it on a second line."""
        return one_line(record.getMessage())


class _WarningFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        """The message, and the error that led to it; never a traceback."""
        error = record.exc_info[1] if record.exc_info else None
        cause = f" ({type(error).__name__}: {error})" if error else ""
        return f"warning: {printable(record.getMessage() + cause)}"


def printable(text: str) -> str:
    """The text with escapes for control characters: a message may quote what a server sent."""
    return "".join(
        character
        if character.isprintable() or character in "\n\t"
        else character.encode("unicode_escape").decode("ascii")
        for character in text
    )


def one_line(text: str) -> str:
    """The same with escapes for line breaks and tabs, too."""
    return printable(text).replace("\n", "\\n").replace("\t", "\\t")


def tolerate_any_character() -> None:
    """Have standard output escape what its encoding has no code for, as standard error does."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")


def _has_codes_for(text: str) -> bool:
    try:
        text.encode(getattr(sys.stdout, "encoding", None) or "utf-8")
    except UnicodeEncodeError:
        return False
    return True
