"""What the settings of a gateway must be together: who can be identified, where, and as whom."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import TypeAlias

from dfns_signers.errors import ConfigurationError
from dfns_signers.gateway.configuration.addresses import Address, TcpAddress, UnixAddress
from dfns_signers.gateway.configuration.settings import CallerTable, GatewaySettings
from dfns_signers.near_miss import did_you_mean


def check_settings(settings: GatewaySettings, file: str) -> None:
    """Refuse settings of which each is valid, and which are not so together.

    Args:
        settings: as the file has them.
        file: names the file in errors.

    Raises:
        ConfigurationError: says all that is wrong, a line for each.
    """
    problems = [
        *_listeners(settings),
        *_tables(settings),
        *_callers(settings),
        *_ambiguous(settings),
    ]
    if problems:
        lines = (f"{file}, [gateway{place}]: {problem}" for place, problem in problems)
        raise ConfigurationError("\n".join(lines))


_Problem: TypeAlias = tuple[str, str]
"""Where below ``gateway``, and what."""


def _listeners(settings: GatewaySettings) -> Iterator[_Problem]:
    seen = set()
    admin = settings.admin_address
    for address in [*settings.addresses, *([admin] if admin else [])]:
        place = _socket(address)
        if place in seen and place[1] != 0:
            yield "", f"{address.text!r}: another listener has the same address"
        seen.add(place)
    for address in settings.addresses:
        for problem in _listener(address, settings):
            yield "", f"listen {address.text!r}: {problem}"


def _socket(address: Address) -> tuple[str, int | None]:
    if isinstance(address, UnixAddress):
        return str(address.path), None
    return address.host, address.port


def _listener(address: Address, settings: GatewaySettings) -> Iterator[str]:
    if address.caller is not None and address.caller not in settings.callers:
        hint = did_you_mean(address.caller, settings.callers)
        yield f"there is no caller {address.caller!r}{hint}"
        return
    if isinstance(address, TcpAddress):
        yield from _tcp_listener(address, settings)
    if not any(
        _can_identify(caller, name, address, settings) for name, caller in settings.callers.items()
    ):
        yield (
            "no caller can be identified there: add one by 'dfns-signers gateway caller add NAME', "
            f"or give a caller {_needed(address, settings)}"
        )


def _tcp_listener(address: TcpAddress, settings: GatewaySettings) -> Iterator[str]:
    table = settings.tls.get(address.tls or "")
    if address.tls is not None and table is None:
        hint = did_you_mean(address.tls, settings.tls)
        yield f"there is no table [gateway.tls.{address.tls}]{hint}"
    elif not address.is_loopback and table is None:
        yield (
            "plain http is for this machine alone: add ?tls=NAME, with a table [gateway.tls.NAME] "
            "that has 'client_ca', or listen on 127.0.0.1"
        )
    elif not address.is_loopback and table is not None and table.client_ca is None:
        yield (
            f"off this machine, callers must show certificates: give [gateway.tls.{address.tls}] "
            "a 'client_ca', or listen on 127.0.0.1"
        )
    if address.is_unspecified and not settings.hosts:
        yield (
            "no client sends this address as its Host: set 'hosts' to what clients connect to, "
            'such as ["gateway.example.com:8443"]'
        )


def _tables(settings: GatewaySettings) -> Iterator[_Problem]:
    used = {address.tls for address in settings.addresses if isinstance(address, TcpAddress)}
    for name in settings.tls.keys() - used:
        yield f".tls.{name}", f"no listener uses it: add ?tls={name} to one, or remove the table"


def _callers(settings: GatewaySettings) -> Iterator[_Problem]:
    for name, caller in settings.callers.items():
        for problem in _caller(name, caller, settings):
            yield f".callers.{name}", problem


def _caller(name: str, caller: CallerTable, settings: GatewaySettings) -> Iterator[str]:
    given = _given(caller)
    if not given:
        hint = did_you_mean(name, settings.callers.keys() - {name})
        yield f"nothing identifies it{hint}: give it 'token_sha256', 'unix' or 'certificate'"
        return
    if caller.identified_by == "all" and len(given) == 1:
        yield (
            'identified_by = "all" has no effect with one kind of identity: give it another of '
            "'token_sha256', 'unix' and 'certificate', or remove the setting"
        )
    usable = [each for each in settings.addresses if each.caller in (None, name)]
    visible = {kind for address in usable for kind in _visible(address, settings)}
    if "unix" in given - visible:
        yield "'unix' has no effect without a unix socket: add unix:/PATH to 'listen'"
    elif "certificate" in given - visible:
        yield (
            "'certificate' has no effect without a listener that asks for certificates: add one "
            "with ?tls=NAME to 'listen', and 'client_ca' to [gateway.tls.NAME]"
        )
    elif not any(_can_identify(caller, name, each, settings) for each in usable):
        yield _unidentifiable(caller, usable, settings)


def _unidentifiable(
    caller: CallerTable, usable: Sequence[Address], settings: GatewaySettings
) -> str:
    if not usable:
        return "no listener can identify it: each is for another caller alone"
    if all("certificate" in _visible(address, settings) for address in usable):
        return "no listener can identify it: each asks for a 'certificate', so give it the name"
    kinds = " and ".join(sorted(_given(caller)))
    return f"no listener can identify it: none shows {kinds} at once, as identified_by wants"


def _ambiguous(settings: GatewaySettings) -> Iterator[_Problem]:
    """Identities that two callers have, or one twice."""
    owners: defaultdict[tuple[str, object], list[str]] = defaultdict(list)
    for name, caller in settings.callers.items():
        for identity in _identities(caller):
            owners[identity].append(name)
    for (kind, value), names in owners.items():
        if len(names) > 1:
            shown = "" if kind == "token_sha256" else f" {value!r}"
            whose = " and ".join(repr(name) for name in dict.fromkeys(names))
            yield ".callers", f"{kind}{shown} is given {len(names)} times, by {whose}: keep one"


def _identities(caller: CallerTable) -> Iterator[tuple[str, object]]:
    yield from (("token_sha256", digest) for digest in caller.token_sha256)
    yield from (("certificate", name) for name in caller.certificate)
    yield from (("uid", uid) for uid in (caller.unix.uid if caller.unix else ()))
    if caller.credential:
        yield "credential id", caller.credential.id


def _can_identify(
    caller: CallerTable, name: str, address: Address, settings: GatewaySettings
) -> bool:
    if address.caller not in (None, name):
        return False
    given, visible = _given(caller), _visible(address, settings)
    if "certificate" in visible and "certificate" not in given:
        return False
    return given <= visible if caller.identified_by == "all" else bool(given & visible)


def _given(caller: CallerTable) -> set[str]:
    kinds = {"unix": caller.unix, "token": caller.token_sha256, "certificate": caller.certificate}
    return {kind for kind, value in kinds.items() if value}


def _visible(address: Address, settings: GatewaySettings) -> set[str]:
    if isinstance(address, UnixAddress):
        return {"unix", "token"}
    table = settings.tls.get(address.tls or "")
    return {"certificate", "token"} if table and table.client_ca else {"token"}


def _needed(address: Address, settings: GatewaySettings) -> str:
    if isinstance(address, UnixAddress):
        return "'unix' or 'token_sha256'"
    return "'certificate'" if "certificate" in _visible(address, settings) else "'token_sha256'"
