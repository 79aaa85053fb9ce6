"""``audit``: verify and show the audit trail."""

from __future__ import annotations

import json
import re
import sys
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from datetime import datetime
from functools import partial
from itertools import chain, islice
from pathlib import Path
from typing import Annotated, Any, Final, Literal, TypeAlias

import typer

from dfns_signers.audit.calls import Call, Wanted, calls, moment
from dfns_signers.audit.reading import heads_in, reading
from dfns_signers.audit.records import Head, Record
from dfns_signers.audit.verification import Verification, verify
from dfns_signers.cli.exit_codes import ExitCode, reports_errors
from dfns_signers.cli.options import ConfigOption, JsonOption, ProfileOption
from dfns_signers.cli.output import one_line, print_json, printable
from dfns_signers.config.loading import load_profile
from dfns_signers.errors import AuditError, ConfigurationError

FilesArgument: TypeAlias = Annotated[
    list[Path] | None,
    typer.Argument(
        metavar="[FILE]...",
        help="Files of one trail, the oldest first; .gz too. [default: that of the profile]",
        show_default=False,
    ),
]

_COLUMNS: Final = (("time", 24), ("caller", 12), ("outcome", 8), ("status", 6), ("ms", 9))
_LONGEST: Final = 300


@reports_errors
def verify_trail(
    files: FilesArgument = None,
    head: Annotated[
        str | None, typer.Option("--head", metavar="HASH", help="Hash of a record to be there.")
    ] = None,
    head_from: Annotated[
        Path | None,
        typer.Option(
            "--head-from",
            metavar="LOGFILE",
            help="Log with heads of the trail, all of which must be there.",
        ),
    ] = None,
    config: ConfigOption = None,
    profile: ProfileOption = None,
    json: JsonOption = False,
) -> None:
    """Verify that no record of the audit trail was changed, removed, inserted or reordered.

    Exits with 0 if the chain is whole, 1 if not, and 9 if only its last line is torn, or there is
    no record. An end that was cut off after a whole line shows by FILE.head beside the trail, by
    --head and by --head-from.
    """
    trail = _files(files, config, profile)
    heads = _heads(head_from, trail) if head_from else []
    with _progress(trail) as progress:
        found = verify(trail, heads=heads, head=head, progress=progress)
    if json:
        print_json(found.as_json())
    else:
        _print(found)
    if found.findings:
        raise typer.Exit(ExitCode.FAILED)
    if found.warnings:
        raise typer.Exit(ExitCode.WARNINGS)


def _files(files: list[Path] | None, config: Path | None, profile: str | None) -> list[Path]:
    if files:
        return files
    loaded = load_profile(profile, config=config)
    if loaded.settings.audit is None:
        raise ConfigurationError(
            f"{loaded.title} has no 'audit': give the file of the trail as an argument"
        )
    trail = loaded.settings.audit.file
    with suppress(PermissionError):  # which reading it says
        if not trail.exists():
            raise AuditError(
                f"{trail} is not there: no call has been recorded yet, or the file was moved; then "
                "give its new place as an argument"
            )
    return [trail]


def _heads(log: Path, trail: Sequence[Path]) -> list[Head]:
    """The heads of a log that are of the trail, which may have been moved since."""
    names = [file.name for file in trail]
    found = [
        head
        for file, head in heads_in(log)
        if any(name.startswith(Path(file).name) for name in names)
    ]
    if not found:
        raise AuditError(
            f"{log} has no head of {', '.join(names)}: expected lines of the logger "
            "'dfns_signers.audit' at INFO"
        )
    return found


def _print(found: Verification) -> None:
    events = ", ".join(f"{count} {event}" for event, count in sorted(found.events.items()))
    lines = [
        f"records: {found.records}" + (f" ({events})" if events else ""),
        f"calls: {found.calls}, of which {found.open_calls} open (allowed, and without an outcome)",
        *([f"time: {found.first_time} to {found.last_time}"] if found.records else []),
        f"head: {found.head.hash} at sequence {found.head.sequence}",
        *(f"note: {each}" for each in found.notes),
        *(f"warning: {each}" for each in found.warnings),
        *(f"FOUND: {each}" for each in found.findings),
    ]
    if found.more_findings:
        lines.append(f"FOUND: {found.more_findings} more")
    lines.append("the chain is broken" if found.findings else "the chain is whole")
    for line in lines:
        typer.echo(_cell(line))


@contextmanager
def _progress(files: Sequence[Path]) -> Iterator[Callable[[Path, int], object]]:
    """Shows on a terminal how much has been read."""
    if not sys.stderr.isatty():
        yield lambda _file, _count: None
        return
    from rich.console import Console  # noqa: PLC0415  # as in ``output``
    from rich.progress import Progress  # noqa: PLC0415

    console = Console(stderr=True)
    with Progress(console=console, transient=True, redirect_stdout=False) as bars:
        tasks = {
            file: bars.add_task(
                printable(file.name), total=file.stat().st_size if file.is_file() else None
            )
            for file in files
        }
        yield lambda file, count: bars.update(tasks[file], completed=count)


def _moment(text: str) -> datetime:
    try:
        return moment(text)
    except ValueError:
        raise typer.BadParameter("expected a date or time such as 2026-11-22T06:00") from None


def _status(text: str) -> str:
    if not re.fullmatch("[1-5]([0-9]{2}|xx)", text.lower()):
        raise typer.BadParameter("expected a status such as 403, or 4xx")
    return text.lower()


@reports_errors
def show_trail(
    files: FilesArgument = None,
    caller: Annotated[
        str | None, typer.Option("--caller", metavar="NAME", help="Of a caller of the gateway.")
    ] = None,
    rule: Annotated[
        str | None, typer.Option("--rule", metavar="NAME", help="That a rule decided.")
    ] = None,
    method: Annotated[
        str | None,
        typer.Option("--method", metavar="METHOD", parser=str.upper, help="With an HTTP method."),
    ] = None,
    path: Annotated[
        str | None,
        typer.Option("--path", metavar="PATTERN", help="With a path, such as '/wallets/*'."),
    ] = None,
    status: Annotated[
        str | None,
        typer.Option(
            "--status", metavar="STATUS", parser=_status, help="Answered with 403, or 4xx."
        ),
    ] = None,
    outcome: Annotated[
        Literal["allowed", "refused", "signed", "failed", "answered"] | None,
        typer.Option("--outcome", help="That ended so."),
    ] = None,
    since: Annotated[
        datetime | None,
        typer.Option("--since", metavar="TIME", parser=_moment, help="Since then (ISO 8601)."),
    ] = None,
    until: Annotated[
        datetime | None,
        typer.Option("--until", metavar="TIME", parser=_moment, help="Before then."),
    ] = None,
    call: Annotated[
        str | None, typer.Option("--call", metavar="ID", help="The one with this id.")
    ] = None,
    last: Annotated[
        int | None,
        typer.Option("--last", "-n", metavar="NUMBER", min=1, help="The last so many of them."),
    ] = None,
    config: ConfigOption = None,
    profile: ProfileOption = None,
    json: Annotated[
        bool, typer.Option("--json", help="Print a JSON object a line, for programs.")
    ] = False,
) -> None:
    """Show the calls of the audit trail, a line for each.

    Lines that are not records are left out: 'audit verify' finds them.
    """
    wanted = Wanted(caller, rule, method, path, status, outcome, since, until, call)
    trail = _files(files, config, profile)
    with ExitStack() as stack:
        progress = stack.enter_context(_progress(trail))
        found: Iterator[Call] = filter(wanted.has, calls(_records(trail, progress)))
        if last is not None:
            found = iter(deque(found, maxlen=last))
        first = list(islice(found, 1))  # an error has no header before it
        if sys.stdout.isatty():
            stack.close()  # what is shown takes its place
        if not json:
            typer.echo(_row([name for name, _ in _COLUMNS], "rule", "call"))
        for each in chain(first, found):
            typer.echo(_as_json(each) if json else _as_row(each))


def _records(files: Sequence[Path], progress: Callable[[Path, int], object]) -> Iterator[Record]:
    for file in files:
        with reading(file, partial(progress, file)) as lines:
            yield from (line.record for line in lines if line.record is not None)


def _as_json(call: Call) -> str:
    return json.dumps(call)


def _as_row(call: Call) -> str:
    texts = {
        **call,
        "status": call.get("status") or call.get("error") or "",
        "ms": call.get("milliseconds", ""),
    }
    return _row(
        [texts.get(name) for name, _ in _COLUMNS],
        call.get("rule") or call.get("check") or "",
        f"{call.get('method', '-')} {call.get('path', '(only the challenge is known)')}",
    )


def _row(cells: Sequence[Any], rule: object, call: str) -> str:
    narrow = [
        _cell("" if cell is None else cell).ljust(width)
        for cell, (_, width) in zip(cells, _COLUMNS, strict=True)
    ]
    return "  ".join([*narrow, _cell(rule).ljust(16), _cell(call)]).rstrip()


def _cell(value: object) -> str:
    """One line of printable characters."""
    return one_line(str(value)[:_LONGEST])
