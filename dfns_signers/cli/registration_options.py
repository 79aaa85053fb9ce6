"""Options of the commands of ``register``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, TypeAlias

import typer

NameOption: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--name", metavar="TEXT", help="Name for people. [default: the profile]", show_default=False
    ),
]
ByOption: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--by",
        metavar="PROFILE",
        help="Profile whose credential signs the registration. [default: the profile itself]",
        show_default=False,
    ),
]
DelegatedOption: TypeAlias = Annotated[
    bool,
    typer.Option(
        "--delegated",
        help="Somebody else signs: print the challenge, and read the assertion from standard "
        "input. The token is that of --by.",
    ),
]
ChallengeOption: TypeAlias = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="Write the challenge to a new file instead, and end."),
]
PendingOption: TypeAlias = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="Complete what --challenge wrote to this file."),
]
AssertionOption: TypeAlias = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="The assertion for --pending. [default: standard input]"),
]
WriteOption: TypeAlias = Annotated[
    bool, typer.Option("--write", help="Write the result into the profile.")
]
TokenFileOption: TypeAlias = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="New file for the token, which is shown only once."),
]
TokenStdoutOption: TypeAlias = Annotated[
    bool, typer.Option("--token-stdout", help="Print the token on standard output instead.")
]
PermissionOption: TypeAlias = Annotated[
    str | None, typer.Option(metavar="ID", help="Permission that it gets, such as pm-….")
]
ExternalIdOption: TypeAlias = Annotated[
    str | None,
    typer.Option(metavar="TEXT", help="An id of your own; no second one is created with it."),
]
DaysOption: TypeAlias = Annotated[
    int | None, typer.Option(min=1, metavar="DAYS", help="Lifetime of the token.")
]
ReplaceOption: TypeAlias = Annotated[
    bool,
    typer.Option(
        "--replace",
        help="Delete the one of this key and name whose token is lost, and recreate it.",
    ),
]
