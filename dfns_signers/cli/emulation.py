"""``emulator``: a local Dfns API in the foreground."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from typing_extensions import Self

from dfns_signers.cli.emulator_profile import EmulatorProfile
from dfns_signers.cli.emulator_tls import trust_commands
from dfns_signers.cli.exchange_lines import exchanges_shown
from dfns_signers.cli.exit_codes import reports_errors
from dfns_signers.cli.inputs import pairs, read_text
from dfns_signers.cli.options import GivenConfigOption, GivenProfileOption
from dfns_signers.cli.output import logged_lines, note
from dfns_signers.config.assembly import configured_signer
from dfns_signers.config.files import default_path
from dfns_signers.config.loading import LoadedProfile, load_profile
from dfns_signers.errors import ConfigurationError
from dfns_signers.public_keys import public_key_pem
from dfns_signers.secrets import Secret

if TYPE_CHECKING:
    from dfns_signers.emulator import Emulator


@reports_errors
def emulator(
    config: GivenConfigOption = None,
    profile: GivenProfileOption = None,
    listen: Annotated[
        str, typer.Option(metavar="HOST:PORT", help="Loopback address; port 0 is any free one.")
    ] = "127.0.0.1:0",
    token: Annotated[
        str | None,
        typer.Option(help="Bearer token to accept. [default: a new one]", show_default=False),
    ] = None,
    credential: Annotated[
        list[str] | None,
        typer.Option(
            metavar="CREDENTIAL_ID=PUBLIC_KEY.pem",
            help="Credential to accept; may be repeated.",
        ),
    ] = None,
    admin: Annotated[
        str | None,
        typer.Option(
            metavar="PROFILE",
            help="Write a profile that calls this API as its first user, with a key of its own: "
            "'setup --register-by PROFILE' registers keys with it.",
        ),
    ] = None,
    exact_payloads: Annotated[
        bool,
        typer.Option(help="Compare announced payload and body byte for byte, not as JSON."),
    ] = False,
    rate_limit: Annotated[
        int | None, typer.Option(min=1, help="Requests per minute. [default: no limit]")
    ] = None,
    rp_id: Annotated[str, typer.Option(help="Domain that passkeys belong to.")] = "localhost",
    origin: Annotated[
        list[str] | None,
        typer.Option(
            help="Origin of pages that may use passkeys; may be repeated. "
            "[default: those of the domain and below it]",
            show_default=False,
        ),
    ] = None,
    require_approval: Annotated[
        list[str] | None,
        typer.Option(
            metavar="'METHOD PATH'",
            help="Answer 202 to this call, as a policy would; may be repeated.",
        ),
    ] = None,
    progress: Annotated[
        Literal["reads", "manual"],
        typer.Option(
            help="What moves the status of a transfer, transaction or signature: each read of it, "
            "or only POST /_emulator/step."
        ),
    ] = "reads",
    no_permissions: Annotated[
        bool,
        typer.Option("--no-permissions", help="Let every caller do everything, as the first user."),
    ] = False,
    tls: Annotated[
        bool, typer.Option("--tls", help="Speak https, and print what clients must trust.")
    ] = False,
    cors_origin: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ORIGIN",
            help="Let pages of this origin call the API from a browser; may be repeated.",
        ),
    ] = None,
    log: Annotated[
        bool,
        typer.Option("--log", help="Show more of each request: caller, credential, time, reason."),
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Do not show the requests.")] = False,
) -> None:
    """Run a local Dfns API that checks everything a real one would.

    Prints one line of JSON when it is ready: url, auth_token, user_id, org_id. Stop it with Ctrl-C.
    Each request is shown in a line on standard error: method, path, status, and why it was refused.
    With --log, also who called, and which credential signed what. The page /_emulator shows the
    requests live, with their bodies; other programs move statuses, decide approvals and more there.

    With --profile or --config, it also accepts the signing key of that profile under its
    credential id, and its token unless --token is given: point base_url at it, and that profile
    works. A token that cannot be read is replaced by a new one.

    With --admin, the named profile is written into the configuration file (that of --config, if
    given), and finds the API again at each start, whatever its port. The profile of --profile is
    then an identity of its own.
    """
    from dfns_signers.emulator import Emulator, parse_listen, serve_forever  # noqa: PLC0415

    if log and quiet:
        raise typer.BadParameter("--log and --quiet exclude each other", param_hint="--log")
    host, port = parse_listen(listen)
    credentials = _public_keys(credential or [])
    first = EmulatorProfile(admin, config) if admin is not None else None
    if first is not None:
        credentials |= first.credentials
        token = token or first.token.open()
    known = None
    if profile is not None or (config is not None and first is None):
        known = _Known.of(load_profile(profile, config=config), None if first else token)
    if known is not None and first is None:
        credentials |= known.credentials
        token = known.token
    server = Emulator(
        host,
        port,
        token=token,
        credentials=credentials,
        exact_payloads=exact_payloads,
        rate_limit=rate_limit,
        progress=progress,
        enforce_permissions=not no_permissions,
        tls=tls,
        cors_origins=cors_origin or (),
        rp_id=rp_id,
        origins=origin or (),
    )
    if known is not None and first is not None:
        server.add_identity(known.name, token=known.token, credentials=known.credentials)
    for call in require_approval or []:
        _require_approval(server, call)
    with _requests_shown(log=log, quiet=quiet):
        serve_forever(server, partial(_announce, server, first))


def _public_keys(given: list[str]) -> dict[str, str]:
    """The public keys of ``--credential`` in PEM, by their credential id."""
    return {
        name: read_text(Path(path), "the public key")
        for name, path in pairs(given, "--credential").items()
    }


def _require_approval(server: Emulator, call: str) -> None:
    method, _, path = call.partition(" ")
    if not path.strip():
        raise typer.BadParameter(
            f"expected a call such as 'POST /wallets', found {call!r}",
            param_hint="--require-approval",
        )
    server.require_approval(method.upper(), path.strip())


def _requests_shown(*, log: bool, quiet: bool) -> AbstractContextManager[None]:
    if quiet:
        return nullcontext()
    return exchanges_shown() if log else logged_lines("dfns_signers.emulator")


@dataclass(frozen=True)
class _Known:
    """The identity of a profile: its credential, and its token unless another one is given."""

    name: str
    token: str | None = field(repr=False)
    credentials: dict[str, str]

    @classmethod
    def of(cls, loaded: LoadedProfile, token: str | None) -> Self:
        with configured_signer(loaded) as signer:
            credentials = {signer.credential_id: public_key_pem(signer.key.public_key)}
        if token is None and loaded.settings.auth_token is not None:
            token = _readable(loaded.settings.auth_token)
        return cls(loaded.name or "user", token, credentials)


def _readable(token: Secret) -> str | None:
    """The token of a profile; None if it cannot be read: without an account there is none."""
    try:
        return token.reveal()
    except ConfigurationError as error:
        note(f"the token of the profile is replaced by a new one: {error}")
        return None


def _announce(server: Emulator, first: EmulatorProfile | None, line: str) -> None:
    for said in trust_commands(server.ca_file) if server.ca_file else ():
        note(said)
    if first is not None:
        first.write(server)
        for said in _next_commands(first.profile.profile, first.profile.config, server.ca_file):
            note(said)
        note(f"The requests, live, in a browser: {server.url}/_emulator")
    typer.echo(line)
    typer.get_text_stream("stdout").flush()


def _next_commands(profile: str, config: Path, ca_file: Path | None) -> Iterator[str]:
    """What to run then, as it can be pasted into any other terminal."""
    from dfns_signers.emulator import FULL_ACCESS  # noqa: PLC0415

    trust = [f"SSL_CERT_FILE={ca_file}"] if ca_file else []
    program = [*trust, os.path.abspath(sys.argv[0])]  # noqa: PTH100  # a link stays as it is
    named = [] if config == default_path().resolve() else ["--config", str(config)]
    body = '{"network": "EthereumSepolia"}'
    call = ["request", *named, "--profile", profile, "POST", "/wallets", "--json", body]
    yield f"the profile {profile!r} in {config} calls it. A signed call, from another terminal:"
    yield shlex.join([*program, *call])
    yield "A key of your own:"
    setup = ["setup", *named, "--register-by", profile, "--permission", FULL_ACCESS]
    yield shlex.join([*program, *setup])
