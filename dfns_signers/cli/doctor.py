"""The command ``doctor``: examine a profile link by link."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from textwrap import wrap
from typing import Any, Final

import typer

from dfns_signers.cli.exit_codes import ExitCode, reports_errors
from dfns_signers.cli.options import ConfigOption, JsonOption, ProfileOption
from dfns_signers.cli.output import print_json, printable
from dfns_signers.errors import DfnsSignersError
from dfns_signers.lifecycle import Finding, Policy, Severity, examine, least_policy, worst

_OF_CONFIGURATION: Final = (
    "configuration",
    "settings",
    "plugin",
    "signer options",
    "rules",
    "audit trail",
    "token",
)
_CODES: Final = {
    **dict.fromkeys(_OF_CONFIGURATION, ExitCode.CONFIGURATION),
    "Dfns": ExitCode.UNREACHABLE,
    **dict.fromkeys(("authentication", "credential", "user action"), ExitCode.API),
}
"""The exit code for a failure of a check; any other is about the key."""

_MARKS: Final = {
    Severity.OK: ("ok", "green"),
    Severity.WARNING: ("warning", "yellow"),
    Severity.FAILURE: ("FAILURE", "red"),
}
_INDENT: Final = 9
_WIDEST: Final = 100
_NARROWEST: Final = 40


@reports_errors
def doctor(
    config: ConfigOption = None, profile: ProfileOption = None, json: JsonOption = False
) -> None:
    """Examine a profile link by link: each finding, what to do, and the smallest policy.

    Configuration, plugin, key store, key, a probe signature, token, Dfns, clock and credential.
    Nothing is changed. The exit code is that of the first failure; 9 if there are warnings alone.
    """
    with _warnings_are_findings():
        findings = examine(profile, config=config)
        found = list(findings) if json else list(_printed(findings))
        policy = _policy(profile, config)
    if json:
        print_json(
            {
                "findings": [_as_json(finding) for finding in found],
                "policy": asdict(policy) if policy else None,
            }
        )
    elif policy:
        typer.echo(f"\n{printable(policy.kind)} for exactly this key:\n\n{printable(policy.text)}")
    raise typer.Exit(_code(found))


def _printed(findings: Iterable[Finding]) -> Iterator[Finding]:
    """Print each finding as it comes: folded to fit a terminal, and whole in a pipe."""
    from rich.console import Console  # noqa: PLC0415  # as in ``output``
    from rich.text import Text  # noqa: PLC0415

    console = Console(highlight=False, soft_wrap=True)
    width = min(max(console.width, _NARROWEST), _WIDEST) - _INDENT if console.is_terminal else None
    for finding in findings:
        mark, style = _MARKS[finding.severity]
        first, *rest = _lines(finding, width)
        console.print(Text.assemble((f"{mark:{_INDENT}}", style), first))
        for line in rest:
            console.print(Text(" " * _INDENT + line))
        yield finding


def _lines(finding: Finding, width: int | None) -> Iterator[str]:
    took = "" if finding.seconds is None else f" ({finding.seconds * 1000:.0f} ms)"
    for text in (
        f"{finding.check}: {finding.message}{took}",
        f"-> {finding.remedy}" if finding.remedy else "",
    ):
        for line in printable(text).splitlines():
            # A fingerprint or path that is too long is not broken: it is there to be copied.
            yield from (
                [line]
                if width is None
                else wrap(line, width, break_long_words=False, break_on_hyphens=False)
            )


def _policy(profile: str | None, config: Path | None) -> Policy | None:
    try:
        return least_policy(profile, config=config)
    except DfnsSignersError:  # a finding says so
        return None


def _as_json(finding: Finding) -> dict[str, Any]:
    return {**asdict(finding), "severity": finding.severity.name.lower()}


def _code(findings: list[Finding]) -> ExitCode:
    for finding in findings:
        if finding.severity is Severity.FAILURE:
            return _CODES.get(finding.check, ExitCode.KEY)
    return ExitCode.WARNINGS if worst(findings) is Severity.WARNING else ExitCode.OK


@contextmanager
def _warnings_are_findings() -> Iterator[None]:
    """Print no warning of this package besides: each is a finding."""
    package = logging.getLogger("dfns_signers")
    propagates, nowhere = package.propagate, logging.NullHandler()
    package.propagate = False
    package.addHandler(nowhere)
    try:
        yield
    finally:
        package.removeHandler(nowhere)
        package.propagate = propagates
