"""``request``: call any endpoint, signed if it must be."""

from __future__ import annotations

from typing import Annotated

import typer

from dfns_signers.cli.exit_codes import ExitCode, reports_errors
from dfns_signers.cli.inputs import body_argument, pairs
from dfns_signers.cli.options import ConfigOption, ProfileOption
from dfns_signers.cli.output import note, print_json
from dfns_signers.client.client import DfnsClient
from dfns_signers.client.results import ChangeRequest


@reports_errors
def request(
    method: Annotated[str, typer.Argument(metavar="METHOD", help="GET, POST, PUT or DELETE.")],
    path: Annotated[str, typer.Argument(metavar="PATH", help="Such as /wallets.")],
    config: ConfigOption = None,
    profile: ProfileOption = None,
    json: Annotated[
        str | None,
        typer.Option(metavar="BODY", help="JSON body: JSON text, @FILE, or - for standard input."),
    ] = None,
    param: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=VALUE", help="Query parameter; may be repeated."),
    ] = None,
    signed: Annotated[
        bool | None,
        typer.Option(
            "--signed/--unsigned",
            help="Override whether the call is signed. [default: as the API reference says]",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Call the Dfns API and print its answer as JSON.

    Example: `dfns-signers request POST /wallets --json '{"network": "EthereumSepolia"}'`

    A policy that wants approval first (202) ends with exit code 8.
    """
    params = pairs(param or [], "--param")
    body = None if json is None else body_argument(json)
    with DfnsClient.from_config(profile, config=config) as dfns:
        answer = dfns.request(method, path, json=body, params=params, signed=signed)
    if isinstance(answer, ChangeRequest):
        print_json(answer.body)
        note(f"nothing has changed yet: {answer.approval_id or answer.id} awaits approval")
        raise typer.Exit(ExitCode.AWAITS_APPROVAL)
    if answer is not None:
        print_json(answer)
