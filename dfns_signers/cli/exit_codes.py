"""Exit codes, and how an error reaches the person at the terminal."""

from __future__ import annotations

import functools
import os
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import IntEnum
from typing import Final, ParamSpec, TypeVar

import typer

from dfns_signers.cli.output import printable
from dfns_signers.errors import (
    ApiError,
    ApprovalRequiredError,
    CallError,
    ConfigurationError,
    DfnsSignersError,
    ListeningError,
    PluginError,
    RequestError,
    SigningError,
    SigningKeyError,
    TokenProviderError,
)

P = ParamSpec("P")
R = TypeVar("R")


class ExitCode(IntEnum):
    """What the exit code of a command means."""

    OK = 0
    FAILED = 1
    USAGE = 2
    CONFIGURATION = 3
    KEY = 4
    REFUSED = 5
    API = 6
    UNREACHABLE = 7
    AWAITS_APPROVAL = 8
    WARNINGS = 9


MEANINGS: Final = {
    ExitCode.OK: "success",
    ExitCode.FAILED: "the command failed, or a signature is not valid",
    ExitCode.USAGE: "the command line or what it was given to read is wrong",
    ExitCode.CONFIGURATION: "the configuration or a plugin is wrong or missing",
    ExitCode.KEY: "the signing key cannot be opened or used",
    ExitCode.REFUSED: "not signed: the challenge is malformed or not allowed, or a guard or rule "
    "refuses it",
    ExitCode.API: "the Dfns API refused the request",
    ExitCode.UNREACHABLE: "the Dfns API gave no answer, or one that cannot be read",
    ExitCode.AWAITS_APPROVAL: "the API accepted the request (202); a policy wants approval first",
    ExitCode.WARNINGS: "'doctor' or 'audit verify' found nothing that fails, and something to be "
    "warned of",
}

TRACEBACK_VARIABLE: Final = "DFNS_SIGNERS_TRACEBACK"
"""Environment variable that has the traceback of an unexpected error shown."""

_CODES: Final = (
    (ListeningError, ExitCode.FAILED),
    (ConfigurationError, ExitCode.CONFIGURATION),
    (PluginError, ExitCode.CONFIGURATION),
    (TokenProviderError, ExitCode.CONFIGURATION),
    (SigningKeyError, ExitCode.KEY),
    (SigningError, ExitCode.REFUSED),
    (RequestError, ExitCode.USAGE),
    (ApprovalRequiredError, ExitCode.AWAITS_APPROVAL),
    (ApiError, ExitCode.API),
    (CallError, ExitCode.UNREACHABLE),
)


def code_of(error: DfnsSignersError) -> ExitCode:
    """The exit code for an error."""
    for kind, code in _CODES:
        if isinstance(error, kind):
            return code
    return ExitCode.FAILED


def reports_errors(command: Callable[P, R]) -> Callable[P, R]:
    """Make a command print an error as one message, never as a traceback."""

    @functools.wraps(command)
    def reporting(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return command(*args, **kwargs)
        except DfnsSignersError as error:
            _print_error(str(error))
            raise typer.Exit(code_of(error)) from None
        except KeyboardInterrupt:
            raise typer.Exit(130) from None

    return reporting


@contextmanager
def last_resort() -> Iterator[None]:
    """Print what no command expects in one line too, and end with 1.

    The traceback comes first if the environment variable ``DFNS_SIGNERS_TRACEBACK`` is set.
    """
    try:
        yield
    except Exception as error:
        wanted = bool(os.environ.get(TRACEBACK_VARIABLE))
        if wanted:
            typer.echo(printable("".join(traceback.format_exception(error))), err=True, nl=False)
        text = " ".join(str(error).split())
        advice = "" if wanted else f"; set {TRACEBACK_VARIABLE}=1 to see where it comes from"
        # A full disk, say, is nobody's mistake.
        blame = "" if isinstance(error, OSError) else ". Please report it"
        _print_error(f"unexpected {type(error).__name__}: {text}{blame}{advice}")
        raise SystemExit(ExitCode.FAILED) from error


def _print_error(message: str) -> None:
    from rich.console import Console  # noqa: PLC0415  # as in ``output``

    console = Console(stderr=True, highlight=False, soft_wrap=True)
    console.print("error:", style="bold red", end=" ")
    console.print(printable(message), markup=False)
