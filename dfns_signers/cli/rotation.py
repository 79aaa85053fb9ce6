"""``rotate``: the key of a profile is followed by the next one."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Final

import typer

from dfns_signers.cli.exit_codes import reports_errors
from dfns_signers.cli.options import ConfigOption, JsonOption, ProfileOption
from dfns_signers.cli.output import note, print_json, printable
from dfns_signers.cli.questions import Questions
from dfns_signers.lifecycle import RotationProgress, rotate

_SHOWN: Final = {
    "done": "done",
    "found done": "done before",
    "planned": "would",
    "waiting": "waiting",
}


@reports_errors
def rotate_key(
    config: ConfigOption = None,
    profile: ProfileOption = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print the steps, and change nothing anywhere.")
    ] = False,
    yes: Annotated[
        bool,
        typer.Option("--yes", "-y", help="Deactivate the old credential without asking."),
    ] = False,
    json: JsonOption = False,
) -> None:
    """Have a profile sign with its next key, and deactivate the credential of the old one.

    Interrupted anywhere and run again, it goes on where it was.

    Example: `dfns-signers rotate --profile production`
    """
    steps: list[RotationProgress] = []
    result = rotate(
        profile,
        config=config,
        confirm=(lambda _: True) if yes else _ask,
        report=steps.append if json else _show,
        dry_run=dry_run,
    )
    if json:
        print_json(
            {**asdict(result), "copy": _text(result.copy), "steps": list(map(asdict, steps))}
        )
    if result.is_complete:
        key = f"the old key, {result.old_key}," if result.old_key else "the old key"
        note(f"{key} is still in its key store: disable or destroy it there, and remove copies")


def _ask(question: str) -> bool:
    """What a person at a terminal answers; elsewhere, no."""
    questions = Questions()
    if not questions.can_ask:
        note("there is nobody to ask: --yes confirms without asking")
        return False
    return questions.confirm(question)


def _show(progress: RotationProgress) -> None:
    typer.echo(
        f"{_SHOWN[progress.state]:<12}{progress.step.value:<11}{printable(progress.message)}"
    )


def _text(value: object) -> str | None:
    return None if value is None else str(value)
