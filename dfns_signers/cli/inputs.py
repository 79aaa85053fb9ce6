"""Read what a command was given: standard input, files, ``name=value`` pairs."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import typer

from dfns_signers.cli.output import note
from dfns_signers.errors import RequestError
from dfns_signers.private_files import reason_of
from dfns_signers.user_action.bodies import strict_json


def json_from_stdin(what: str) -> Any:
    """Parse standard input.

    Raises:
        RequestError: it is not valid JSON in UTF-8.
    """
    if sys.stdin is None:
        raise RequestError(f"standard input is closed: expected {what} as JSON")
    if sys.stdin.isatty():
        note(f"reading {what} as JSON from standard input; end with Ctrl-D")
    try:
        text = sys.stdin.buffer.read().decode("utf-8")
    except UnicodeDecodeError as error:
        raise RequestError(f"{what} on standard input is not UTF-8 text") from error
    if not text.strip():
        raise RequestError(f"standard input is empty: expected {what} as JSON")
    return parse_json(text, f"{what} on standard input")


def json_from_file(path: Path, what: str) -> Any:
    """Parse a file.

    Raises:
        RequestError: it cannot be read, or is not valid JSON.
    """
    return parse_json(read_text(path, what), f"{what} in {path}")


def read_text(path: Path, what: str) -> str:
    """Read a text file.

    Raises:
        RequestError: it cannot be read.
    """
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise RequestError(f"{what} in {path} is not UTF-8 text") from error
    except (OSError, ValueError) as error:
        raise RequestError(f"{what} cannot be read from {path}: {reason_of(error)}") from error


def parse_json(text: str, what: str) -> Any:
    """Parse JSON that can mean one thing only.

    Raises:
        RequestError: it is not valid JSON, or has a member twice; the message says where.
    """
    try:
        return strict_json(text)
    except ValueError as error:
        raise RequestError(f"{what} is not valid JSON: {error}") from error


def body_argument(value: str) -> Any:
    """A JSON body: the text itself, ``@FILE``, or ``-`` for standard input."""
    if value == "-":
        return json_from_stdin("the body")
    if value.startswith("@"):
        return json_from_file(Path(value[1:]), "the body")
    return parse_json(value, "the body")


def pairs(values: list[str], option: str) -> dict[str, str]:
    """``name=value`` arguments as a dictionary."""
    found: dict[str, str] = {}
    for value in values:
        name, separator, text = value.partition("=")
        if not separator or not name:
            raise typer.BadParameter(f"expected NAME=VALUE, found {value!r}", param_hint=option)
        if name in found:
            raise typer.BadParameter(f"{name!r} is given twice", param_hint=option)
        found[name] = text
    return found
