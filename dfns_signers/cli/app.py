"""The commands, put together."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Final

import typer

import dfns_signers
from dfns_signers.cli import demo, emulation, inspection, keys, requests, signing
from dfns_signers.cli.exit_codes import MEANINGS, last_resort
from dfns_signers.cli.output import tolerate_any_character, warnings_shown

_EXIT_CODES = "\n\n".join(f"- **{code:d}** {meaning}" for code, meaning in MEANINGS.items())

_CONTEXT: Final = {"help_option_names": ["-h", "--help"]}

app = typer.Typer(
    name="dfns-signers",
    help="Sign Dfns API requests with keys that never leave a KMS.",
    epilog=f"Exit codes:\n\n{_EXIT_CODES}",
    no_args_is_help=True,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    context_settings=_CONTEXT,
)
config_app = typer.Typer(
    name="config",
    help="Look at the configuration.",
    no_args_is_help=True,
    context_settings=_CONTEXT,
)
config_app.command("show")(inspection.show_config)

keys_app = typer.Typer(
    name="keys",
    help="Create and list keys in the store of a backend.",
    no_args_is_help=True,
    context_settings=_CONTEXT,
)
keys_app.command("create")(keys.create)
keys_app.command("list")(keys.list_)

app.command()(demo.demo)
app.command()(signing.sign)
app.command()(signing.verify)
app.command("public-key")(signing.show_public_key)
app.command()(requests.request)
app.command()(inspection.backends)
app.add_typer(config_app)
app.add_typer(keys_app)
app.command()(emulation.emulator)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"dfns-signers {dfns_signers.__version__}")
        raise typer.Exit


def _for_every_command(group: Any, given: dict[str, Any]) -> dict[str, Any]:
    """Options that were given before the command as defaults of each (click's ``default_map``)."""
    return {
        name: _for_every_command(command, given) if hasattr(command, "commands") else given
        for name, command in group.commands.items()
    }


@app.callback()
def _root(
    context: typer.Context,
    config: Annotated[
        Path | None,
        typer.Option("--config", metavar="FILE", help="As --config of the command."),
    ] = None,
    profile: Annotated[
        str | None,
        typer.Option("--profile", metavar="NAME", help="As --profile of the command."),
    ] = None,
    _version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version."
        ),
    ] = False,
) -> None:
    """Sign Dfns API requests with keys that never leave a KMS."""
    given = {"config": config, "profile": profile}
    context.default_map = _for_every_command(context.command, given)


def main() -> None:
    """Entry point of the command ``dfns-signers``."""
    tolerate_any_character()
    with last_resort(), warnings_shown():
        app(prog_name="dfns-signers")
