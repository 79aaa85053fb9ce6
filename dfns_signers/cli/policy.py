"""``policy``: the rules of a profile or of a caller of the gateway, and what they say of a call."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple
from urllib.parse import urlencode

import typer

from dfns_signers.announced_call import AnnouncedCall
from dfns_signers.cli.exit_codes import ExitCode, reports_errors
from dfns_signers.cli.inputs import body_argument, pairs
from dfns_signers.cli.options import (
    ConfigOption,
    JsonOutputOption,
    ParametersOption,
    ProfileOption,
    complete_caller,
)
from dfns_signers.cli.output import note, print_json, print_table, printable
from dfns_signers.config.loading import load_profile
from dfns_signers.config.profile_guards import configured_policy
from dfns_signers.errors import ConfigurationError, PolicyRefusedError, RequestError
from dfns_signers.near_miss import did_you_mean
from dfns_signers.policy.matcher import Matcher
from dfns_signers.policy.policy import Policy, Verdict
from dfns_signers.user_action.bodies import to_json_bytes
from dfns_signers.user_action.endpoints import check_method

if TYPE_CHECKING:
    from dfns_signers.gateway.loading import LoadedGateway

_COLUMNS = ("rules of", "rule", "call", "class", "conditions", "rate")


@reports_errors
def check(
    config: ConfigOption = None,
    profile: ProfileOption = None,
    caller: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            autocompletion=complete_caller,
            help="A caller of the gateway, whose rules come before the profile's.",
        ),
    ] = None,
    explain: Annotated[
        tuple[str, str] | None,
        typer.Option(metavar="METHOD PATH", help="Say which rule decides on a call, and why."),
    ] = None,
    json: Annotated[
        str | None,
        typer.Option(
            metavar="BODY",
            help="Body of the call to explain: JSON text, @FILE, or - for standard input.",
        ),
    ] = None,
    param: ParametersOption = None,
    json_output: JsonOutputOption = False,
) -> None:
    """Check the rules and list them, or explain what they say of a call.

    Example: `dfns-signers policy check --explain POST /wallets --json '{"network": "Ethereum"}'`

    Nothing is signed, sent or counted. A call that is not allowed ends with exit code 5.
    """
    title, policies = _policies(profile, config, caller)
    if explain is None:
        if json is not None or param:
            raise RequestError("--json and --param are of a call: name it by --explain METHOD PATH")
        _list(title, policies, as_json=json_output)
        return
    call = call_to_explain(*explain, json, param or [])
    explain_call(title, policies, call, as_json=json_output)


def call_to_explain(
    method: str, target: str, body: str | None, parameters: list[str]
) -> AnnouncedCall:
    """The call of ``--explain``: path and query, a body as ``--json`` and more as ``--param``."""
    path, _, query = target.partition("?")
    query = "&".join(filter(None, (query, urlencode(pairs(parameters, "--param")))))
    text = "" if body is None else to_json_bytes(body_argument(body)).decode("utf-8")
    return AnnouncedCall(check_method(method), path, text, query)


def explain_call(
    title: str, policies: Sequence[Policy], call: AnnouncedCall, *, as_json: bool = False
) -> None:
    """Say what the rules of each place say of a call; exit code 5 if one of them refuses it."""
    found = [_explained(policy, call) for policy in policies]
    if as_json:
        print_json(_as_json(call, found))
    else:
        _print(call, title, found)
    if any(one.refusal for one in found):
        raise typer.Exit(ExitCode.REFUSED)


class _Explained(NamedTuple):
    """What the rules of one place say of a call; no refusal where they allow it."""

    policy: Policy
    rule: str
    verdicts: Sequence[Verdict]
    refusal: PolicyRefusedError | None = None
    is_asked: bool = True


def _policies(
    profile: str | None, config: Path | None, caller: str | None
) -> tuple[str, list[Policy]]:
    """Who is asked about, and the rules that must all allow a call."""
    if caller is None:
        loaded = load_profile(profile, config=config)
        of_profile = configured_policy(loaded)
        return loaded.title, [of_profile] if of_profile else []
    from dfns_signers.gateway.loading import load_gateway  # noqa: PLC0415  # few have a gateway

    return rules_for_caller(load_gateway(profile, config=config), caller)


def rules_for_caller(gateway: LoadedGateway, caller: str) -> tuple[str, list[Policy]]:
    """A caller of the gateway as a title, and the rules that must all allow its calls."""
    known = gateway.callers.by_name
    if caller not in known:
        raise ConfigurationError(
            f"the gateway has no caller {caller!r}{did_you_mean(caller, known)}: it has "
            f"{', '.join(known) or 'none'}"
        )
    policies = [one for one in (known[caller].policy, known[caller].of_profile) if one]
    return f"the caller {caller!r}", policies


def _list(title: str, policies: Sequence[Policy], *, as_json: bool) -> None:
    rows = [(policy.title, matcher) for policy in policies for matcher in policy.matchers]
    if as_json:
        print_json([_row(place, matcher) for place, matcher in rows])
        return
    if not policies:
        _note_no_rules(title)
        return
    for policy in policies:
        if policy.read_only:
            note(f"{policy.title} is read-only: nothing is signed")
        if policy.reads:
            note(f"{policy.title} may read what no rule names, sensitive reads apart")
    print_table(
        f"Rules of {title}",
        _COLUMNS,
        [
            (
                place,
                one.rule.name,
                one.rule.call,
                one.operation_class,
                "; ".join(one.conditions),
                one.rule.rate or "",
            )
            for place, one in rows
        ],
    )


def _note_no_rules(title: str) -> None:
    note(f"{title} has no rules: whatever it is asked to sign, it signs")


def _row(place: str, matcher: Matcher) -> dict[str, Any]:
    rule = matcher.rule
    return {
        "rules_of": place,
        "name": rule.name,
        "call": rule.call,
        "class": matcher.operation_class,
        "conditions": list(matcher.conditions),
        "rate": rule.rate,
    }


def _explained(policy: Policy, call: AnnouncedCall) -> _Explained:
    if not policy.concerns(call):
        return _Explained(policy, "", (), is_asked=False)
    try:
        return _Explained(policy, policy.require(call), policy.explain(call))
    except PolicyRefusedError as error:
        return _Explained(policy, "", policy.explain(call), error)


def _print(call: AnnouncedCall, title: str, found: Sequence[_Explained]) -> None:
    if not found:
        _note_no_rules(title)
    for one in found:
        rows = [(verdict.rule, _said(verdict)) for verdict in one.verdicts]
        if rows:
            print_table(_summary(call, one), ("rule", "what it says"), rows)
        else:
            typer.echo(printable(_summary(call, one)))


def _summary(call: AnnouncedCall, one: _Explained) -> str:
    if not one.is_asked:
        return f"{call.method} {call.path} is not signed: {one.policy.title} does not judge it"
    if one.refusal:
        return f"refused ({one.refusal.check}): {one.refusal}"
    by = f"rule {one.rule!r}" if one.rule else "no rule, for none is needed"
    return f"allowed: {one.policy.title} allows {call.method} {call.path} by {by}"


def _said(verdict: Verdict) -> str:
    if not verdict.names:
        return "is about another operation"
    return "; ".join(verdict.failures) or "allows it"


def _as_json(call: AnnouncedCall, found: Sequence[_Explained]) -> dict[str, Any]:
    return {
        "call": f"{call.method} {call.path}",
        "allowed": not any(one.refusal for one in found),
        "decisions": [
            {
                "rules_of": one.policy.title,
                "asked": one.is_asked,
                "allowed": one.refusal is None,
                "rule": (one.refusal.rule if one.refusal else one.rule) or None,
                "check": one.refusal.check if one.refusal else None,
                "rules": [
                    {
                        "name": verdict.rule,
                        "names_the_operation": verdict.names,
                        "allows": verdict.allows,
                        "failures": list(verdict.failures),
                    }
                    for verdict in one.verdicts
                ],
            }
            for one in found
        ],
    }
