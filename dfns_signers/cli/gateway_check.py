"""``gateway check``: whether the gateway would start, and which rule decides a call."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from dfns_signers.cli.exit_codes import reports_errors
from dfns_signers.cli.gateway import require_extra
from dfns_signers.cli.options import (
    ConfigOption,
    GatewayProfileOption,
    JsonOutputOption,
    ParametersOption,
)
from dfns_signers.cli.output import print_json, printable
from dfns_signers.errors import RequestError

if TYPE_CHECKING:
    from dfns_signers.gateway.loading import LoadedGateway


@reports_errors
def check(
    config: ConfigOption = None,
    profile: GatewayProfileOption = None,
    explain: Annotated[
        tuple[str, str, str] | None,
        typer.Option(
            metavar="CALLER METHOD PATH", help="Say which rule of the caller decides this call."
        ),
    ] = None,
    json: Annotated[
        str | None,
        typer.Option(
            "--json", metavar="BODY", help="Its body: JSON, @FILE, or - for standard input."
        ),
    ] = None,
    param: ParametersOption = None,
    json_output: JsonOutputOption = False,
) -> None:
    """Check all that a gateway needs, without listening; say which rule decides a call.

    Reads settings, rules, keys of callers, certificates and the token, and opens the signing key
    and the audit trail; nothing is sent to Dfns. With --explain, it ends with 5 if the call is
    refused.

    Example: `dfns-signers gateway check --explain payments POST /wallets --json '{}'`
    """
    require_extra()
    from dfns_signers.gateway.loading import load_gateway  # noqa: PLC0415

    if (json is not None or param) and explain is None:
        raise RequestError(
            "--json and --param are of a call: name it by --explain CALLER METHOD PATH"
        )
    gateway = load_gateway(profile, config=config)
    if explain is None:
        _check(gateway, as_json=json_output)
        return
    from dfns_signers.cli.policy import (  # noqa: PLC0415  # it imports the engine
        call_to_explain,
        explain_call,
        rules_for_caller,
    )

    caller, method, target = explain
    call = call_to_explain(method, target, json, param or [])
    explain_call(*rules_for_caller(gateway, caller), call, as_json=json_output)


def _check(gateway: LoadedGateway, *, as_json: bool) -> None:
    from dfns_signers.config.profile_guards import open_trail  # noqa: PLC0415
    from dfns_signers.gateway.assembly import new_service  # noqa: PLC0415

    open_trail(gateway.profile)
    _, signer = new_service(gateway)
    with signer:
        key, credential = signer.key, signer.credential_id
        found = {
            "profile": gateway.profile.name,
            "base_url": gateway.profile.settings.base_url,
            "credential": credential,
            "key": key.reference,
            "algorithm": str(key.algorithm),
            "fingerprint": key.fingerprint,
            "listen": list(gateway.settings.listen),
            "callers": {
                name: {"rules": [rule.name for rule in table.allow], "reads": table.reads}
                for name, table in gateway.settings.callers.items()
            },
        }
    if as_json:
        print_json(found)
    else:
        _print(found)


def _print(found: dict[str, Any]) -> None:
    lines = [
        "profile     {profile}: {base_url}".format_map(found),
        "credential  {credential}".format_map(found),
        "key         {key} ({algorithm}), {fingerprint}".format_map(found),
        *(f"listen      {address}" for address in found["listen"]),
    ]
    for name, caller in found["callers"].items():
        allowed = [*caller["rules"], *(["reads"] if caller["reads"] else [])]
        lines.append(f"caller      {name}: {', '.join(allowed) or 'nothing is allowed'}")
    for line in lines:
        typer.echo(printable(line))
