"""Exit codes, and how an error reaches the person at the terminal."""

from __future__ import annotations

import functools
from collections.abc import Callable
from enum import IntEnum
from typing import Final, ParamSpec, TypeVar

import typer
from rich.console import Console

from dfns_signers.errors import (
    ApiError,
    CallError,
    ConfigurationError,
    DfnsSignersError,
    PluginError,
    SigningError,
    SigningKeyError,
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


MEANINGS: Final = {
    ExitCode.OK: "success",
    ExitCode.FAILED: "the command failed, or a signature is not valid",
    ExitCode.USAGE: "the command line is wrong",
    ExitCode.CONFIGURATION: "the configuration or a plugin is wrong or missing",
    ExitCode.KEY: "the signing key cannot be opened or used",
    ExitCode.REFUSED: "the challenge was not signed: malformed, not allowed, or refused by a guard",
    ExitCode.API: "the Dfns API refused the request",
    ExitCode.UNREACHABLE: "the Dfns API gave no answer, or one that cannot be read",
    ExitCode.AWAITS_APPROVAL: "the API accepted the request (202); a policy wants approval first",
}

_CODES: Final = (
    (ConfigurationError, ExitCode.CONFIGURATION),
    (PluginError, ExitCode.CONFIGURATION),
    (SigningKeyError, ExitCode.KEY),
    (SigningError, ExitCode.REFUSED),
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


def _print_error(message: str) -> None:
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    console.print("error:", style="bold red", end=" ")
    console.print(message, markup=False)
