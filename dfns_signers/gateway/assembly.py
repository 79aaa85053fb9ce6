"""From the configuration to a service."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from dfns_signers.client.forwarding import ForwardingClient
from dfns_signers.config.assembly import client_arguments, configured_signer
from dfns_signers.config.files import ConfigFile, default_path, find_file, unknown_profile
from dfns_signers.config.loading import LoadedProfile, load_profile
from dfns_signers.config.profile_guards import configured_guard, configured_policy
from dfns_signers.config.validation import validate
from dfns_signers.errors import ConfigurationError, UnsupportedKeyError
from dfns_signers.gateway.callers.callers import Caller, Callers, Credential
from dfns_signers.gateway.callers.limits import Limits
from dfns_signers.gateway.callers.signing_rules import judges_by_caller
from dfns_signers.gateway.configuration.certificates import check_certificates, read_trusted_file
from dfns_signers.gateway.configuration.settings import CallerTable, GatewaySettings
from dfns_signers.gateway.configuration.settings_checks import check_settings
from dfns_signers.gateway.operation.instruments import Instruments, new_instruments
from dfns_signers.gateway.replicas import Replicas, replicas_of
from dfns_signers.gateway.service import Service
from dfns_signers.gateway.upstream import Upstream
from dfns_signers.gateway.user_actions.user_actions import UserActions
from dfns_signers.policy.counting import counting
from dfns_signers.policy.policy import Policy
from dfns_signers.public_keys import fingerprint, load_public_key
from dfns_signers.rate_limits.counters import Counters
from dfns_signers.rate_limits.rates import Rate
from dfns_signers.sealed import Sealed
from dfns_signers.signer import KeySigner

_ADVICE: Final = "'dfns-signers gateway caller add NAME' writes one"


@dataclass(frozen=True, slots=True)
class LoadedGateway:
    """The gateway as the configuration has it, checked.

    Attributes:
        settings: of ``[gateway]``.
        profile: what signs.
        callers: who may call.
        replicas: what it shares with its replicas.
        organisation: names whose requests are limited.
        asked: the profile that was asked for; None for that of ``[gateway]`` or the default one.
    """

    settings: GatewaySettings = field(repr=False)
    profile: LoadedProfile
    callers: Callers
    replicas: Replicas
    organisation: str
    asked: str | None = None


def load_gateway(
    profile: str | None = None, *, config: str | os.PathLike[str] | None = None
) -> LoadedGateway:
    """Read and check the gateway of a configuration file; no key is opened.

    Args:
        profile: what signs; else that of ``[gateway]``, else the default one.
        config: the configuration file, as for ``load_signer``.

    Raises:
        ConfigurationError: a setting is missing or wrong; says where.
    """
    file = find_file(config)
    if file is None:
        raise ConfigurationError(
            f"there is no configuration file {default_path()} with a table [gateway]: {_ADVICE}; "
            "--config or DFNS_CONFIG names another file"
        )
    if not file.gateway.open():
        raise ConfigurationError(
            f"configuration file {file.path} has no table [gateway]: {_ADVICE}"
        )
    exposed = file.path if file.is_exposed else None
    settings = read_settings(file.gateway, file.path, exposed=exposed)
    loaded = _profile(profile, settings, file)
    for name, table in settings.tls.items():
        with _placing(file.path, f"gateway.tls.{name}"):
            check_certificates(table)
    with _placing(file.path, "gateway"):
        replicas = replicas_of(settings)
    organisation = loaded.settings.rate_limit_name or loaded.settings.base_url
    callers = callers_of(
        settings,
        file.path,
        replicas.counters,
        organisation,
        of_profile=configured_policy(loaded),
    )
    _require_other_tokens(settings, loaded, file.path)
    return LoadedGateway(settings, loaded, callers, replicas, organisation, profile)


def read_settings(
    table: Sealed[Mapping[str, Any]],
    file: Path,
    *,
    exposed: Path | None = None,
    reveal: bool = True,
) -> GatewaySettings:
    """The settings of ``[gateway]``, each valid, and all of them together.

    Args:
        table: as the file has it.
        file: relative paths start at its folder.
        exposed: the file, if other users can read it.
        reveal: whether a secret that cannot be read is refused.

    Raises:
        ConfigurationError: a setting is missing or wrong.
    """
    settings = validate(
        GatewaySettings,
        table.open(),
        where=f"configuration file {file}, [gateway]",
        folder=file.parent,
        exposed=exposed,
        reveal=reveal,
    )
    check_settings(settings, f"configuration file {file}")
    return settings


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
    keys: dict[str, str] = {}
    for name, table in settings.callers.items():
        with _placing(file, f"gateway.callers.{name}", "credential.public_key"):
            credential = _credential(table)
        with _placing(file, f"gateway.callers.{name}"):
            count = counting(counters, organisation, "caller", name)
            caller = _caller(name, table, count, of_profile, credential)
            if caller.credential is not None:
                key = fingerprint(caller.credential.public_key)
                if key in keys:
                    raise ConfigurationError(
                        f"the caller {keys[key]!r} has the same public key: each caller needs one "
                        "of its own"
                    )
                keys[key] = name
            callers.append(caller)
    pinned = {each.text: each.caller for each in settings.addresses if each.caller is not None}
    return Callers(callers, pinned)


def new_service(
    gateway: LoadedGateway, instruments: Instruments | None = None
) -> tuple[Service, KeySigner]:
    """The service of a gateway, and the signer that it closes at the end.

    Args:
        gateway: as the configuration has it.
        instruments: see each request and each signature; new ones by default.

    Raises:
        ConfigurationError: the token cannot be read, or a setting of the profile is wrong.
    """
    instruments = instruments or new_instruments(gateway.settings, gateway.profile)
    guard = configured_guard(
        gateway.profile, judges_by_caller(lambda: service.callers), instruments.recorder
    )
    signer = configured_signer(gateway.profile, guard, [instruments.metrics])
    client = ForwardingClient(signer=signer, **client_arguments(gateway.profile))
    service = Service(
        gateway.callers,
        Limits(
            Rate.parse(gateway.settings.organisation_rate),
            gateway.replicas.counters,
            organisation=gateway.organisation,
        ),
        UserActions(gateway.replicas.seal_keys.open(), gateway.replicas.used),
        Upstream(client),
        instruments.observer,
    )
    return service, signer


def _profile(asked: str | None, settings: GatewaySettings, file: ConfigFile) -> LoadedProfile:
    if asked is not None or settings.profile is None:
        return load_profile(asked, config=file.path)
    if settings.profile not in file.profiles:
        place = f"configuration file {file.path}, [gateway], key 'profile'"
        raise unknown_profile(place, settings.profile, file.profiles)
    return load_profile(settings.profile, config=file.path)


@contextmanager
def _placing(file: Path, table: str, key: str = "") -> Iterator[None]:
    """Name the table, and a key in it, in the errors that are raised within."""
    try:
        yield
    except ConfigurationError as error:
        place = f"[{table}]" + (f", key {key!r}" if key else "")
        raise ConfigurationError(f"configuration file {file}, {place}: {error}") from error


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


def _require_other_tokens(settings: GatewaySettings, profile: LoadedProfile, file: Path) -> None:
    """Refuse the gateway's own token as that of a caller, which could then do without it."""
    token = profile.settings.auth_token
    if token is None or not token.is_readable():
        return  # refused where it is needed
    digest = sha256(Sealed(token.reveal()).open().encode("utf-8")).hexdigest()
    for name, table in settings.callers.items():
        if digest in table.token_sha256:
            raise ConfigurationError(
                f"configuration file {file}, [gateway.callers.{name}]: its token is that of the "
                f"gateway itself ({profile.title}): 'dfns-signers gateway caller add' makes one"
            )
