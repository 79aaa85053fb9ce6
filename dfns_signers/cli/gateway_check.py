"""``gateway check``: whether the gateway would start, and which rule decides a call."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from dfns_signers.cli.exit_codes import reports_errors
from dfns_signers.cli.gateway import require_extra
from dfns_signers.cli.options import ConfigOption, ProfileOption

if TYPE_CHECKING:
    from dfns_signers.gateway.assembly import LoadedGateway


@reports_errors
def check(
    config: ConfigOption = None,
    profile: ProfileOption = None,
    explain: Annotated[
        tuple[str, str, str] | None,
        typer.Option(
            metavar="CALLER METHOD PATH",
            help="Say which rule of the caller, and of the profile, decides this call.",
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
    and the audit trail; nothing is sent to Dfns. With --explain, it answers as 'policy check
    --caller' does, and ends with 5 if the call is refused.

    Example: `dfns-signers gateway check --explain payments POST /wallets --json '{}'`
    """
    require_extra()
    from dfns_signers.cli.policy import (  # noqa: PLC0415
        call_to_explain,
        explain_call,
        policies_of_caller,
    )
    from dfns_signers.gateway.assembly import load_gateway  # noqa: PLC0415

    if json is not None and explain is None:
        raise typer.BadParameter("needs --explain", param_hint="--json")
    gateway = load_gateway(profile, config=config)
    if explain is None:
        _check(gateway)
        return
    caller, method, target = explain
    path, _, query = target.partition("?")
    title, policies = policies_of_caller(gateway, caller)
    explain_call(title, policies, call_to_explain(method, path, query, json))


def _check(gateway: LoadedGateway) -> None:
    from dfns_signers.config.assembly import open_trail  # noqa: PLC0415
    from dfns_signers.gateway.assembly import new_service  # noqa: PLC0415

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
