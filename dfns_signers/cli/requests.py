"""``request``: call any endpoint, signed if it must be."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Final
from urllib.parse import urlsplit

import typer

from dfns_signers.cli.exit_codes import ExitCode, reports_errors
from dfns_signers.cli.inputs import body_argument, pairs
from dfns_signers.cli.operation_completion import complete_method, complete_path
from dfns_signers.cli.options import ConfigOption, ProfileOption
from dfns_signers.cli.output import note, print_json
from dfns_signers.client.client import DfnsClient
from dfns_signers.client.results import ChangeRequest
from dfns_signers.errors import ApiError, RequestError
from dfns_signers.operations import path_hint
from dfns_signers.operations.table import is_placeholder

_UNKNOWN_TO_THE_API: Final = frozenset({404, 405})


@reports_errors
def request(
    method: Annotated[
        str,
        typer.Argument(
            metavar="METHOD", help="GET, POST, PUT or DELETE.", autocompletion=complete_method
        ),
    ],
    path: Annotated[
        str,
        typer.Argument(metavar="PATH", help="Such as /wallets.", autocompletion=complete_path),
    ],
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

    `dfns-signers operations` lists the paths, and `dfns-signers operations POST /wallets` the
    members of a body.

    A policy that wants approval first (202) ends with exit code 8.
    """
    _check(path)
    params = pairs(param or [], "--param")
    body = None if json is None else body_argument(json)
    with _hinting(method, path), DfnsClient.from_config(profile, config=config) as dfns:
        answer = dfns.request(method, path, json=body, params=params, signed=signed)
    if isinstance(answer, ChangeRequest):
        print_json(answer.body)
        note(f"nothing has changed yet: {answer.approval_id or answer.id} awaits approval")
        raise typer.Exit(ExitCode.AWAITS_APPROVAL)
    if answer is not None:
        print_json(answer)


def _check(path: str) -> None:
    """Refuse what people type in place of a path; the client judges paths themselves."""
    if "://" in path:
        path = urlsplit(path).path or "/"
        raise RequestError(f"expected a path such as {path}, found a URL: 'base_url' has the rest")
    if not path.startswith("/"):
        raise RequestError(f"a path begins with '/' (did you mean '/{path}'?)")
    open_ones = [segment for segment in path.split("/") if is_placeholder(segment)]
    if open_ones:
        raise RequestError(f"put an id in the place of {' and '.join(open_ones)} in {path}")


@contextmanager
def _hinting(method: str, path: str) -> Iterator[None]:
    """Name what was probably meant when the API does not know a path, and we do not either."""
    try:
        yield
    except ApiError as error:
        if error.status in _UNKNOWN_TO_THE_API:
            hint = path_hint(method.upper(), path)
            if hint:
                note(f"no operation that is known here: {method.upper()} {path}{hint}")
        raise
