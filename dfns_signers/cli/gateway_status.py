"""``gateway status`` and ``gateway wait``: whether the gateway of a configuration is ready."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Annotated, Final

import typer

from dfns_signers.cli.exit_codes import ExitCode, reports_errors
from dfns_signers.cli.options import ConfigOption, JsonOption
from dfns_signers.cli.output import note, print_json, print_table
from dfns_signers.gateway.operation.admin_client import Readiness, admin_address, ask

_INTERVAL: Final = 0.2
"""Seconds between two questions."""


@reports_errors
def status(
    config: ConfigOption = None,
    live: Annotated[
        bool, typer.Option("--live", help="Ask only whether it answers at all.")
    ] = False,
    json_output: JsonOption = False,
) -> None:
    """Show whether the gateway is ready, and what is wrong if it is not.

    Asks the admin listener of the configuration, and neither Dfns nor the key. Ends with 0 if the
    gateway is ready, and with 1 if it is not, or does not answer: fit for a health check. With
    --live, it ends with 0 if the gateway answers, ready or not.
    """
    readiness = ask(admin_address(config))
    if json_output:
        print_json(readiness.shown())
    else:
        _print(readiness)
    if not (readiness.answers if live else readiness.is_ready):
        raise typer.Exit(ExitCode.FAILED)


@reports_errors
def wait(
    config: ConfigOption = None,
    timeout: Annotated[
        float, typer.Option(min=0, metavar="SECONDS", help="How long to wait at most.")
    ] = 60.0,
) -> None:
    """Wait until the gateway is ready.

    Ends with 1 if it is not in time.
    """
    address = admin_address(config)
    readiness = await_ready(lambda: ask(address), timeout)
    if not readiness.is_ready:
        note(f"the gateway is not ready after {timeout:g} seconds: {readiness.reason}")
        raise typer.Exit(ExitCode.FAILED)


def await_ready(
    asking: Callable[[], Readiness],
    timeout: float,
    *,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], object] = time.sleep,
) -> Readiness:
    """Ask until the answer is that it is ready, or the time is over; returns the last answer."""
    end = clock() + timeout
    while True:
        readiness = asking()
        if readiness.is_ready or clock() >= end:
            return readiness
        sleep(_INTERVAL)


def _print(readiness: Readiness) -> None:
    title = f"gateway {readiness.version}, {readiness.state}" if readiness.version else "gateway"
    rows = [
        (check.name, "ok" if check.problem is None else "wrong", check.problem or "")
        for check in readiness.checks
    ]
    print_table(title, ("check", "state", "problem"), rows)
