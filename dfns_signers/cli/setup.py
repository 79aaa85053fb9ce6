"""``setup``: from nothing to a profile that works."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

import typer

from dfns_signers.algorithms import Algorithm
from dfns_signers.cli.doctor import doctor
from dfns_signers.cli.exit_codes import reports_errors
from dfns_signers.cli.inputs import pairs
from dfns_signers.cli.options import ConfigOption
from dfns_signers.cli.output import note
from dfns_signers.cli.questions import Questions
from dfns_signers.cli.setup_credential import GivenCredential, settle_credential
from dfns_signers.cli.setup_key import GivenKey, present_key, settle_key
from dfns_signers.cli.setup_progress import Progress
from dfns_signers.config.files import expanded
from dfns_signers.lifecycle import ProfileSetup, RegistrationKind
from dfns_signers.lifecycle.token_file import file_reference


@reports_errors
def setup(
    config: ConfigOption = None,
    profile: Annotated[
        str | None,
        typer.Option("--name", "--profile", metavar="NAME", help="Profile to set up."),
    ] = None,
    backend: Annotated[
        str | None, typer.Option(metavar="NAME", help="Backend of its key, such as pem.")
    ] = None,
    create: Annotated[
        bool | None,
        typer.Option(
            "--create/--existing",
            help="Create a key, or use one that is there.",
            show_default=False,
        ),
    ] = None,
    algorithm: Annotated[
        Algorithm | None, typer.Option(case_sensitive=False, help="Algorithm of the key.")
    ] = None,
    option: Annotated[
        list[str] | None,
        typer.Option(
            "--option",
            "-o",
            metavar="NAME=VALUE",
            help="Option of the backend, such as path=key.pem; may be repeated. With --create, "
            "those of 'keys create', else those of the [signer] table.",
        ),
    ] = None,
    base_url: Annotated[
        str | None,
        typer.Option(
            metavar="URL",
            help="Where the Dfns API is. [default: as the profile of --register-by]",
            show_default=False,
        ),
    ] = None,
    register_by: Annotated[
        str | None,
        typer.Option(metavar="PROFILE", help="Profile that registers the key, by API."),
    ] = None,
    registered_as: Annotated[
        RegistrationKind | None, typer.Option("--as", help="What --register-by makes of the key.")
    ] = None,
    permission: Annotated[
        str | None,
        typer.Option(metavar="ID", help="Permission of the new service account or token."),
    ] = None,
    credential_id: Annotated[
        str | None, typer.Option(metavar="ID", help="Credential id that Dfns gave the key.")
    ] = None,
    token_file: Annotated[
        Path | None, typer.Option(metavar="FILE", help="File that holds the token.")
    ] = None,
    token_env: Annotated[
        str | None, typer.Option(metavar="NAME", help="Environment variable that holds the token.")
    ] = None,
    token_stdin: Annotated[
        bool,
        typer.Option("--token-stdin", help="Read the token from standard input into a new file."),
    ] = False,
    replace: Annotated[
        bool,
        typer.Option("--replace", help="Replace what the profile says otherwise; keeps a copy."),
    ] = False,
    yes: Annotated[
        bool, typer.Option("--yes", "-y", help="Take the default of every question; ask nobody.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print what would be done and written; do nothing.")
    ] = False,
) -> None:
    """Lead from nothing to a working profile: key, credential, token, configuration.

    Asks at the terminal what no option answers. Each step is written into the configuration file
    at once: stopped anywhere, the same command goes on where it was. Ends with 'doctor'.

    Example: `dfns-signers setup --name laptop --backend pem`
    """
    questions = Questions(assume_defaults=yes)
    name = profile or questions.text("Name of the profile", "--name", default="default") or ""
    progress = Progress(
        ProfileSetup(name, config=config), questions, replace=replace, dry_run=dry_run
    )
    note(f"profile {name!r} in {progress.profile.config}")
    options = pairs(option or [], "--option")
    settle_key(progress, GivenKey(backend, create, algorithm, options, base_url, register_by))
    present_key(progress, algorithm)
    token = _token(progress.profile.config, token_file, token_env, is_stdin=token_stdin)
    settle_credential(
        progress, GivenCredential(register_by, registered_as, permission, credential_id, token)
    )
    if progress.begins(f"examine the profile, as 'dfns-signers doctor --profile {name}' does"):
        doctor(config=progress.profile.config, profile=name)
    typer.echo(progress.planned_text, nl=False)


def _token(
    config: Path, file: Path | None, variable: str | None, *, is_stdin: bool
) -> Mapping[str, str] | Literal["stdin"] | None:
    given = [file is not None, variable is not None, is_stdin]
    if sum(given) > 1:
        raise typer.BadParameter(
            "give one of --token-file, --token-env and --token-stdin", param_hint="--token-…"
        )
    if file is not None:
        return file_reference(expanded(file).absolute(), config)
    if variable is not None:
        return {"env": variable}
    return "stdin" if is_stdin else None
