"""Options that commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, TypeAlias

import typer

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
        help="Profile to use. [default: $DFNS_PROFILE, or the file's default_profile]",
        show_default=False,
    ),
]

GivenProfileOption: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--profile",
        metavar="NAME",
        help="Profile to use. [default: none, unless --config is given]",
        show_default=False,
    ),
]

JsonOption: TypeAlias = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]
