"""``gateway check``: whether the gateway would start, and which rule decides a call."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dfns_signers.cli.exit_codes import reports_errors
from dfns_signers.cli.gateway import require_extra
from dfns_signers.cli.options import ConfigOption, ProfileOption
from dfns_signers.cli.policy import explain_for_caller, new_call


@reports_errors
def check(
    config: ConfigOption = None,
    profile: ProfileOption = None,
    explain: Annotated[
        tuple[str, str, str] | None,
        typer.Option(
            metavar="CALLER METHOD PATH", help="Say which rule decides on a call, and why."
        ),
    ] = None,
    json: Annotated[
        str | None,
        typer.Option(
            "--json", metavar="BODY", help="Its body: JSON, @FILE, or - for standard input."
        ),
    ] = None,
) -> None:
    """Check all that a gateway needs, without listening; say which rule decides a call.

    Reads settings, rules, keys of callers, certificates and the token, and opens the signing key
    and the audit trail; nothing is sent to Dfns. --explain is 'policy check --caller' in short, and
    ends with 5 if the call is refused.

    Example: `dfns-signers gateway check --explain payments POST /wallets --json '{}'`
    """
    require_extra()
    if explain is not None:
        caller, method, target = explain
        path, _, query = target.partition("?")
        call = new_call(method, path, query, json)
        explain_for_caller(caller, call, config=config, profile=profile)
    elif json is not None:
        raise typer.BadParameter("needs --explain", param_hint="--json")
    else:
        _check(config, profile)


def _check(config: Path | None, profile: str | None) -> None:
    from dfns_signers.config.profile_guards import open_trail  # noqa: PLC0415
    from dfns_signers.gateway.assembly import load_gateway, new_service  # noqa: PLC0415

    gateway = load_gateway(profile, config=config)
    open_trail(gateway.profile)
    _, signer = new_service(gateway)
    with signer:
        key = signer.key
        typer.echo(f"profile     {gateway.profile.name}: {gateway.profile.settings.base_url}")
        typer.echo(f"credential  {signer.credential_id}")
        typer.echo(f"key         {key.reference} ({key.algorithm}), {key.fingerprint}")
    for address in gateway.settings.listen:
        typer.echo(f"listen      {address}")
    for name, table in gateway.settings.callers.items():
        rules = ", ".join(rule.name for rule in table.allow)
        reads = "reads" if table.reads else ""
        allowed = ", ".join(filter(None, (rules, reads))) or "nothing is allowed"
        typer.echo(f"caller      {name}: {allowed}")
