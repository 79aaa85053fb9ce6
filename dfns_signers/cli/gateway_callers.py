"""``gateway caller``: add, list, show and remove callers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, TypeAlias

import typer

from dfns_signers.cli.exit_codes import reports_errors
from dfns_signers.cli.gateway import require_extra
from dfns_signers.cli.options import ConfigOption, GatewayProfileOption, JsonOption, complete_caller
from dfns_signers.cli.output import note, print_json, print_table

if TYPE_CHECKING:
    from dfns_signers.gateway.configuration.settings import CallerTable
    from dfns_signers.gateway.setup.client_settings import ClientSettings
    from dfns_signers.gateway.setup.new_caller import AddedCaller

CallerArgument: TypeAlias = Annotated[
    str, typer.Argument(help="Name of the caller.", autocompletion=complete_caller)
]

_EXAMPLE: Final = """\
[[gateway.callers.{key}.allow]]
name = "wallets"
call = "GET /wallets"
"""


@reports_errors
def add(
    name: Annotated[str, typer.Argument(help="Name of the caller.")],
    config: ConfigOption = None,
    profile: GatewayProfileOption = None,
    no_key: Annotated[
        bool,
        typer.Option("--no-key", help="Make no key: for plain calls, without an official SDK."),
    ] = False,
    no_token: Annotated[
        bool, typer.Option("--no-token", help="Make no token: with --uid or --certificate.")
    ] = False,
    uid: Annotated[
        list[int] | None,
        typer.Option(help="User id that identifies it on a unix socket; may be repeated.", min=0),
    ] = None,
    certificate: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="DNS name or URI of its client certificate; may be repeated.",
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="DIR",
            help="Folder for its keys. [default: that of the configuration file]",
            show_default=False,
        ),
    ] = None,
    token_file: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="New file for its token, which is else printed once."),
    ] = None,
    org_id: Annotated[
        str | None,
        typer.Option(
            metavar="ID",
            help="Organisation in its token. [default: that in the token of the profile]",
            show_default=False,
        ),
    ] = None,
    listen: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ADDRESS",
            help="Where a gateway listens that is new; may be repeated. [default: 127.0.0.1:8787]",
            show_default=False,
        ),
    ] = None,
    rotate_token: Annotated[
        bool,
        typer.Option(
            "--rotate-token", help="Give a caller another token; its newest one stays valid."
        ),
    ] = False,
    print_only: Annotated[
        bool, typer.Option("--print", help="Print the file as it would be, and write nothing.")
    ] = False,
) -> None:
    """Add a caller, and print what its program sets.

    Makes a throwaway key and a token, and puts a table with the public key and the digest of the
    token into the configuration file. The caller may do nothing before you add rules.

    Example: `dfns-signers gateway caller add payments --token-file payments.token`
    """
    require_extra()
    from dfns_signers.gateway.setup.new_caller import CallerEdit, Wishes  # noqa: PLC0415

    if no_token and token_file:
        raise typer.BadParameter("excludes --token-file", param_hint="--no-token")
    if rotate_token and (no_key or no_token or uid or certificate or output or listen):
        raise typer.BadParameter(
            "goes with --token-file, --org-id and --print alone: the rest of the caller stays",
            param_hint="--rotate-token",
        )

    wishes = Wishes(
        name,
        profile=profile,
        with_key=not no_key,
        with_token=not no_token,
        uids=uid or (),
        certificates=certificate or (),
        organisation=org_id,
        listen=listen or (),
        folder=output,
        token_file=token_file,
    )
    begin = CallerEdit.with_another_token if rotate_token else CallerEdit.added
    edit = begin(wishes, config)
    if print_only:
        typer.echo(edit.toml, nl=False)
        return
    _explain(edit.write(), rotated=rotate_token)


@reports_errors
def list_(
    config: ConfigOption = None, profile: GatewayProfileOption = None, json: JsonOption = False
) -> None:
    """List the callers and what they may do.

    Example: `dfns-signers gateway caller list`
    """
    require_extra()
    from dfns_signers.gateway.loading import load_gateway  # noqa: PLC0415

    callers = load_gateway(profile, config=config).settings.callers
    if json:
        print_json([_as_json(name, table) for name, table in callers.items()])
        return
    print_table(
        "Callers",
        ("name", "identified by", "credential", "rules"),
        [
            (
                name,
                _identified_by(table),
                table.credential.id if table.credential else "-",
                _rules(table),
            )
            for name, table in callers.items()
        ],
    )


@reports_errors
def show(
    name: CallerArgument,
    config: ConfigOption = None,
    profile: GatewayProfileOption = None,
    json: JsonOption = False,
) -> None:
    """Show what a caller may do, and what its program sets.

    Its token is in no file: `gateway caller add NAME --rotate-token` makes another one.

    Example: `dfns-signers gateway caller show payments`
    """
    require_extra()
    from dfns_signers.gateway.setup.client_settings import ClientSettings  # noqa: PLC0415
    from dfns_signers.gateway.setup.existing_caller import existing_caller  # noqa: PLC0415

    caller = existing_caller(name, profile, config)
    table = caller.settings.callers[name]
    if json:
        print_json(_as_json(name, table))
        return
    note(f"the caller {name!r} of {caller.config}")
    note(f"identified by: {_identified_by(table)}")
    note(f"rules: {_rules(table)}")
    if caller.has_token:
        note("Its token is in no file: 'gateway caller add --rotate-token' makes another one.")
    note("What its program sets:")
    _print_programs(ClientSettings(caller))


@reports_errors
def remove(
    name: CallerArgument,
    config: ConfigOption = None,
) -> None:
    """Remove a caller from the configuration file, with its rules.

    Files of its key and its token stay; without the caller they are of no use. A gateway that runs
    serves the caller until it takes the file, on SIGHUP.

    Example: `dfns-signers gateway caller remove payments`
    """
    require_extra()
    from dfns_signers.gateway.setup.removed_caller import remove_caller  # noqa: PLC0415

    file, problem = remove_caller(name, config)
    note(f"removed the caller {name!r} from {file}")
    if problem:
        note(f"warning: a gateway that runs does not take this file, and goes on serving {name!r}:")
        note(f"stop it. {problem}")
    else:
        note("A gateway that runs takes the file on SIGHUP, and serves the caller until then.")


def _as_json(name: str, table: CallerTable) -> dict[str, Any]:
    return {
        "name": name,
        "tokens": len(table.token_sha256),
        "uids": table.unix.uid if table.unix else [],
        "certificates": table.certificate,
        "identified_by": table.identified_by,
        "credential": table.credential.id if table.credential else None,
        "rules": [rule.name for rule in table.allow],
        "reads": table.reads,
    }


def _identified_by(table: CallerTable) -> str:
    return f" {'and' if table.identified_by == 'all' else 'or'} ".join(_identities(table))


def _rules(table: CallerTable) -> str:
    return ", ".join([*(rule.name for rule in table.allow), *["reads"] * table.reads]) or "-"


def _identities(table: CallerTable) -> Iterator[str]:
    if table.token_sha256:
        yield "token" if len(table.token_sha256) == 1 else "2 tokens"
    yield from (f"uid {uid}" for uid in (table.unix.uid if table.unix else ()))
    yield from table.certificate


def _explain(caller: AddedCaller, *, rotated: bool) -> None:
    """What its program sets, on standard output; what to do, on standard error."""
    from dfns_signers.gateway.setup.client_settings import ClientSettings  # noqa: PLC0415

    clients = ClientSettings(caller)
    token = clients.token_line()
    if rotated:
        note(f"the caller {caller.name!r} has another token; its former one is valid, too, until")
        note(f"it is removed from token_sha256 in {caller.config}")
    else:
        note(f"added the caller {caller.name!r} to {caller.config}")
        if caller.private_key is not None:
            note(f"its private key is {caller.private_key}: only its program needs it")
        note(f"It may do nothing yet. A rule, to add to {caller.config}:")
        # A name with a dot would otherwise be two keys.
        key = f'"{caller.name}"' if "." in caller.name else caller.name
        note(_EXAMPLE.format(key=key))
    note("A gateway that runs takes the file on SIGHUP. What the program of the caller sets:")
    if token is not None:
        typer.echo(token)
    if not rotated:
        _print_programs(clients)


def _print_programs(clients: ClientSettings) -> None:
    for snippet in clients.snippets():
        typer.echo(f"\n{snippet.comment} {snippet.title}\n{snippet.text}", nl=False)
    for line in clients.trust_lines():
        note(line)
