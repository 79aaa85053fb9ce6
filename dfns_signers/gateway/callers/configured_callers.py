"""The callers of a configuration file, with their keys and rules."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from dfns_signers.errors import ConfigurationError, UnsupportedKeyError
from dfns_signers.gateway.callers.callers import Caller, Callers, Credential
from dfns_signers.gateway.configuration.certificates import read_trusted_file
from dfns_signers.gateway.configuration.places import placing
from dfns_signers.gateway.configuration.settings import CallerTable, GatewaySettings
from dfns_signers.policy.counting import counting
from dfns_signers.policy.policy import Policy
from dfns_signers.public_keys import fingerprint, load_public_key
from dfns_signers.rate_limits.counters import Counters


def callers_of(
    settings: GatewaySettings,
    file: Path,
    counters: Counters,
    organisation: str,
    *,
    of_profile: Policy | None,
) -> Callers:
    """The callers of the configuration.

    Args:
        settings: of ``[gateway]``.
        file: that has them.
        counters: of the rates of rules.
        organisation: names whose calls are counted.
        of_profile: the rules of the profile, which hold for each of them.

    Raises:
        ConfigurationError: a rule or a public key is wrong, or two callers have one key.
    """
    callers = []
    for name, table in settings.callers.items():
        with placing(file, f"gateway.callers.{name}", "credential.public_key"):
            credential = _credential(table)
        with placing(file, f"gateway.callers.{name}"):
            count = counting(counters, organisation, "caller", name)
            callers.append(_caller(name, table, count, of_profile, credential))
    _require_different_keys(callers, file)
    pinned = {each.text: each.caller for each in settings.addresses if each.caller is not None}
    return Callers(callers, pinned)


def _caller(
    name: str,
    table: CallerTable,
    count: Callable[[str, str], float],
    of_profile: Policy | None,
    credential: Credential | None,
) -> Caller:
    return Caller(
        name,
        Policy(
            table.allow,
            title=f"the caller {name!r}",
            default_deny=True,
            reads=table.reads,
            count=count,
        ),
        token_digests=frozenset(table.token_sha256),
        uids=frozenset(table.unix.uid if table.unix else ()),
        certificates=frozenset(table.certificate),
        credential=credential,
        rate=table.rate,
        needs_all=table.identified_by == "all",
        of_profile=of_profile,
    )


def _credential(table: CallerTable) -> Credential | None:
    if table.credential is None:
        return None
    path = table.credential.public_key
    content = read_trusted_file(path, "the public key")
    try:
        return Credential(table.credential.id, load_public_key(content.open()))
    except UnsupportedKeyError as error:
        raise ConfigurationError(f"{path}: {error}") from error


def _require_different_keys(callers: Iterable[Caller], file: Path) -> None:
    names: dict[str, str] = {}
    for caller in callers:
        if caller.credential is None:
            continue
        key = fingerprint(caller.credential.public_key)
        if key in names:
            with placing(file, f"gateway.callers.{caller.name}"):
                raise ConfigurationError(
                    f"the caller {names[key]!r} has the same public key: each caller needs one of "
                    "its own"
                )
        names[key] = caller.name
