"""From the configuration to a service."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass

from dfns_signers.algorithms import PublicKey
from dfns_signers.config.assembly import client_arguments, configured_signer
from dfns_signers.config.files import find_file
from dfns_signers.config.loading import LoadedProfile, load_profile
from dfns_signers.config.validation import validate
from dfns_signers.errors import ConfigurationError
from dfns_signers.gateway.callers import Caller, Callers, Credential
from dfns_signers.gateway.limits import Limits
from dfns_signers.gateway.replicas import Replicas, replicas_of
from dfns_signers.gateway.service import Service
from dfns_signers.gateway.settings import CallerTable, GatewaySettings
from dfns_signers.gateway.upstream import Upstream
from dfns_signers.gateway.user_actions import UserActions
from dfns_signers.policy.counting import counting
from dfns_signers.policy.policy import Policy
from dfns_signers.public_keys import load_public_key
from dfns_signers.rate_limits.rates import Rate
from dfns_signers.signer import KeySigner
from dfns_signers.user_action.httpx_auth import UserActionAuth


@dataclass(frozen=True, slots=True)
class LoadedGateway:
    """The gateway as the configuration has it, checked.

    Attributes:
        settings: of ``[gateway]``.
        profile: what signs.
        callers: who may call.
        replicas: what it shares with its replicas.
        organisation: names whose requests are limited.
    """

    settings: GatewaySettings
    profile: LoadedProfile
    callers: Callers
    replicas: Replicas
    organisation: str


def load_gateway(
    profile: str | None = None, *, config: str | os.PathLike[str] | None = None
) -> LoadedGateway:
    """Read and check the gateway of a configuration file; no key is opened.

    Args:
        profile: what signs; else that of ``[gateway]``, else the default one.
        config: the configuration file, as for ``load_signer``.

    Raises:
        ConfigurationError: a setting is missing or wrong.
    """
    file = find_file(config)
    if file is None or not file.gateway.open():
        raise ConfigurationError("there is no [gateway] table")
    settings = validate(
        GatewaySettings,
        file.gateway.open(),
        where=f"configuration file {file.path}, [gateway]",
        folder=file.path.parent,
        exposed=file.path if file.is_exposed else None,
    )
    loaded = load_profile(profile or settings.profile, config=file.path)
    replicas = replicas_of(settings)
    organisation = loaded.settings.rate_limit_name or loaded.settings.base_url
    callers = Callers(
        _caller(name, table, counting(replicas.counters, organisation, "caller", name))
        for name, table in settings.callers.items()
    )
    return LoadedGateway(settings, loaded, callers, replicas, organisation)


def _caller(name: str, table: CallerTable, count: Callable[[str, str], float]) -> Caller:
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
        credential=_credential(table),
        rate=table.rate,
        needs_all=table.identified_by == "all",
    )


def _credential(table: CallerTable) -> Credential | None:
    if table.credential is None:
        return None
    return Credential(table.credential.id, _public_key(table))


def _public_key(table: CallerTable) -> PublicKey:
    assert table.credential is not None  # noqa: S101  # asked before
    return load_public_key(table.credential.public_key.read_text())


def new_service(gateway: LoadedGateway) -> tuple[Service, KeySigner]:
    """The service of a gateway, and the signer that it closes at the end."""
    signer = configured_signer(gateway.profile)
    arguments = client_arguments(gateway.profile)
    auth = UserActionAuth(arguments["auth_token"], signer, base_url=arguments["base_url"])
    replicas = gateway.replicas
    service = Service(
        gateway.callers,
        Limits(
            Rate.parse(gateway.settings.organisation_rate),
            replicas.counters,
            organisation=gateway.organisation,
        ),
        UserActions(replicas.seal_keys.open(), replicas.used),
        Upstream(auth, arguments["timeout"]),
    )
    return service, signer
