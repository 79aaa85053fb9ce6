"""Options that commands share."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from dfns_signers.errors import ConfigurationError

if TYPE_CHECKING:
    from dfns_signers.config.files import ConfigFile


def complete_profile(context: typer.Context, incomplete: str) -> list[str]:
    """The profiles of the configuration file that begin like this; none if it cannot be read."""
    file = _file_of(context)
    return [name for name in (file.profiles if file else ()) if name.startswith(incomplete)]


def complete_caller(context: typer.Context, incomplete: str) -> list[str]:
    """The callers of the gateway that begin like this; none if the file cannot be read."""
    file = _file_of(context)
    callers = file.gateway.open().get("callers") if file else None
    names = callers if isinstance(callers, dict) else ()
    return [name for name in names if name.startswith(incomplete)]


def _file_of(context: typer.Context) -> ConfigFile | None:
    from dfns_signers.config.files import find_file  # noqa: PLC0415  # only completion needs it

    try:
        return find_file(context.params.get("config"))
    except ConfigurationError:
        return None


ConfigOption: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        "--config",
        metavar="FILE",
        help="Configuration file. [default: $DFNS_CONFIG, or ~/.config/dfns-signers/config.toml]",
        show_default=False,
    ),
]

GivenConfigOption: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        "--config",
        metavar="FILE",
        help="Configuration file. [default: none is read, unless --profile is given]",
        show_default=False,
    ),
]
"""For the commands that work without any configuration."""

ProfileOption: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--profile",
        metavar="NAME",
        autocompletion=complete_profile,
        help="Profile to use. [default: $DFNS_PROFILE, or the file's default_profile]",
        show_default=False,
    ),
]

GatewayProfileOption: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--profile",
        metavar="NAME",
        autocompletion=complete_profile,
        help="Profile that signs. [default: 'profile' of \\[gateway], then $DFNS_PROFILE, or the "
        "file's default_profile]",
        show_default=False,
    ),
]

GivenProfileOption: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--profile",
        metavar="NAME",
        autocompletion=complete_profile,
        help="Profile to use. [default: none, unless --config is given]",
        show_default=False,
    ),
]

JsonOption: TypeAlias = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]

JsonOutputOption: TypeAlias = Annotated[
    bool, typer.Option("--json-output", help="Print JSON for programs.")
]
"""Where ``--json`` is the body of a call."""

ParametersOption: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        "--param",
        metavar="NAME=VALUE",
        help="Query parameter of the call to explain; may be repeated.",
    ),
]
