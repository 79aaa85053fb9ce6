"""The commands, put together."""

from __future__ import annotations

from typing import Annotated

import typer

import dfns_signers
from dfns_signers.cli import demo, emulation, inspection, requests, signing
from dfns_signers.cli.exit_codes import MEANINGS

_EXIT_CODES = "\n\n".join(f"[bold]{code:d}[/]  {meaning}" for code, meaning in MEANINGS.items())

app = typer.Typer(
    name="dfns-signers",
    help="Sign Dfns API requests with keys that never leave a KMS.",
    epilog=f"Exit codes:\n\n{_EXIT_CODES}",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
config_app = typer.Typer(
    name="config",
    help="Look at the configuration.",
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)
config_app.command("show")(inspection.show_config)

app.command()(demo.demo)
app.command()(signing.sign)
app.command()(signing.verify)
app.command("public-key")(signing.show_public_key)
app.command()(requests.request)
app.command()(inspection.backends)
app.add_typer(config_app)
app.command()(emulation.emulator)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"dfns-signers {dfns_signers.__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version."
        ),
    ] = False,
) -> None:
    """Sign Dfns API requests with keys that never leave a KMS."""


def main() -> None:
    """Entry point of the command ``dfns-signers``."""
    app()
