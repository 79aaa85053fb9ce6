"""The commands, put together."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from typer.core import TyperGroup

import dfns_signers
from dfns_signers.cli.exit_codes import MEANINGS, last_resort
from dfns_signers.cli.lazy_command import LazyCommand, LazyGroup, defaults_of_commands
from dfns_signers.cli.output import tolerate_any_character, warnings_shown

_EXIT_CODES = "\n\n".join(f"- **{code:d}** {meaning}" for code, meaning in MEANINGS.items())

_CONTEXT: Final = {"help_option_names": ["-h", "--help"]}

_app: Final = typer.Typer(
    name="dfns-signers",
    help="Sign Dfns API requests with keys that never leave a KMS.",
    epilog=f"Exit codes:\n\n{_EXIT_CODES}",
    no_args_is_help=True,
    rich_markup_mode="markdown",
    context_settings=_CONTEXT,
)


def _group(name: str, summary: str, commands: Sequence[Any]) -> TyperGroup:
    return TyperGroup(
        name=name,
        help=summary,
        commands=commands,
        no_args_is_help=True,
        context_settings=_CONTEXT,
        rich_markup_mode="markdown",
    )


_COMMANDS: Final = (
    LazyCommand(
        "setup",
        "setup:setup",
        "Lead from nothing to a working profile: key, credential, token, configuration.",
    ),
    LazyCommand(
        "demo", "demo:demo", "Show the main job on local servers; nothing leaves this machine."
    ),
    LazyCommand(
        "sign",
        "signing:sign",
        "Sign a challenge: JSON on standard input, the assertion as JSON on standard output.",
    ),
    LazyCommand(
        "verify",
        "signing:verify",
        "Verify an assertion from standard input, offline; the exit code is the result.",
    ),
    LazyCommand(
        "public-key",
        "signing:show_public_key",
        "Print the public key of the profile's signing key, in PEM, as Dfns registers it.",
    ),
    _group(
        "register",
        "Register the public key of a profile with Dfns.",
        [
            LazyCommand(
                "credential",
                "registrations:credential",
                "Register the profile's key as one more credential of an identity.",
            ),
            LazyCommand(
                "service-account",
                "registrations:service_account",
                "Create a service account that the profile's key signs for.",
            ),
            LazyCommand(
                "token",
                "registrations:token",
                "Create a personal access token that the profile's key signs for.",
            ),
        ],
    ),
    LazyCommand(
        "doctor",
        "doctor:doctor",
        "Examine a profile link by link: each finding, what to do, and the smallest policy.",
    ),
    LazyCommand(
        "rotate",
        "rotation:rotate_key",
        "Have a profile sign with its next key, and deactivate the credential of the old one.",
    ),
    LazyCommand("request", "requests:request", "Call the Dfns API and print its answer as JSON."),
    LazyCommand(
        "operations",
        "operations:show_operations",
        "List the operations of the Dfns API, or show what one of them takes.",
    ),
    LazyCommand(
        "backends",
        "inspection:backends",
        "List the installed plugins, without importing any of them.",
    ),
    LazyCommand(
        "emulator",
        "emulation:emulator",
        "Run a local Dfns API that checks everything a real one would.",
    ),
    LazyGroup(
        "gateway",
        "gateway:gateway",
        "Serve the Dfns API to local callers, and sign what their rules allow.",
        settings=_CONTEXT,
        commands=[
            _group(
                "caller",
                "Add, list, show and remove callers.",
                [
                    LazyCommand(
                        "add",
                        "gateway_callers:add",
                        "Add a caller, and print what its program sets.",
                    ),
                    LazyCommand(
                        "list", "gateway_callers:list_", "List the callers and what they may do."
                    ),
                    LazyCommand(
                        "show",
                        "gateway_callers:show",
                        "Show what a caller may do, and what its program sets.",
                    ),
                    LazyCommand(
                        "remove",
                        "gateway_callers:remove",
                        "Remove a caller from the configuration file, with its rules.",
                    ),
                ],
            ),
            LazyCommand(
                "certificate",
                "gateway_certificate:certificate",
                "Make a certificate for listeners on this machine, for clients that refuse http.",
            ),
            LazyCommand(
                "check",
                "gateway_check:check",
                "Check all that a gateway needs, without listening; say which rule decides a call.",
            ),
            LazyCommand(
                "status",
                "gateway_status:status",
                "Show whether the gateway is ready, and what is wrong if it is not.",
            ),
            LazyCommand("wait", "gateway_status:wait", "Wait until the gateway is ready."),
        ],
    ),
    _group(
        "audit",
        "Verify and show the audit trail.",
        [
            LazyCommand(
                "verify",
                "audit:verify_trail",
                "Verify that no record of the audit trail was changed, removed, inserted or "
                "reordered.",
            ),
            LazyCommand(
                "show", "audit:show_trail", "Show the calls of the audit trail, a line for each."
            ),
        ],
    ),
    _group(
        "policy",
        "Look at the rules of a profile, or of a caller of the gateway.",
        [
            LazyCommand(
                "check",
                "policy:check",
                "Check the rules and list them, or explain what they say of a call.",
            )
        ],
    ),
    _group(
        "config",
        "Look at the configuration.",
        [
            LazyCommand(
                "show",
                "inspection:show_config",
                "Show every setting and where it came from. Secrets are hidden.",
            )
        ],
    ),
    _group(
        "keys",
        "Create, list and show keys in the store of a backend.",
        [
            LazyCommand(
                "create",
                "keys:create",
                "Create a signing key, and print the profile that signs with it.",
            ),
            LazyCommand("list", "keys:list_", "List the signing keys in the store of a backend."),
            LazyCommand(
                "show",
                "keys:show",
                "Show a signing key, its public key and the profile that signs with it.",
            ),
        ],
    ),
)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"dfns-signers {dfns_signers.__version__}")
        raise typer.Exit


@_app.callback()
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
    context.default_map = defaults_of_commands(context.command, given)


def command_line() -> Any:
    """The command ``dfns-signers``: a click group of all the others."""
    group: Any = typer.main.get_command(_app)
    for command in _COMMANDS:
        group.add_command(command)
    return group


def main() -> None:
    """Entry point of the command ``dfns-signers``."""
    tolerate_any_character()
    with last_resort(), warnings_shown():
        command_line()(prog_name="dfns-signers")
