"""From the configuration to a service."""

from __future__ import annotations

import os
from dataclasses import dataclass

from dfns_signers.algorithms import PublicKey
from dfns_signers.config.assembly import client_arguments, configured_signer
from dfns_signers.config.files import find_file
from dfns_signers.config.loading import LoadedProfile, load_profile
from dfns_signers.config.validation import validate
from dfns_signers.errors import ConfigurationError
from dfns_signers.gateway.callers import Caller, Callers, Credential
from dfns_signers.gateway.limits import Limits
from dfns_signers.gateway.service import Service
from dfns_signers.gateway.settings import CallerTable, GatewaySettings
from dfns_signers.gateway.single_use import InMemory
from dfns_signers.gateway.upstream import Upstream
from dfns_signers.gateway.user_actions import UserActions
from dfns_signers.policy.policy import Policy
from dfns_signers.public_keys import load_public_key
from dfns_signers.signer import KeySigner
from dfns_signers.user_action.httpx_auth import UserActionAuth


@dataclass(frozen=True, slots=True)
class LoadedGateway:
    """The gateway as the configuration has it, checked."""

    settings: GatewaySettings
    profile: LoadedProfile
    callers: Callers


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
    return LoadedGateway(settings, loaded, callers_of(settings, f"configuration file {file.path}"))


def callers_of(settings: GatewaySettings, where: str = "the configuration") -> Callers:
    """The callers of the configuration; ``where`` names it in errors."""
    return Callers(_caller(name, table, where) for name, table in settings.callers.items())


def _caller(name: str, table: CallerTable, where: str) -> Caller:
    return Caller(
        name,
        _rules(name, table, where),
        token_digests=frozenset(table.token_sha256),
        uids=frozenset(table.unix.uid if table.unix else ()),
        certificates=frozenset(table.certificate),
        credential=_credential(table),
        rate=table.rate,
        needs_all=table.identified_by == "all",
    )


def _rules(name: str, table: CallerTable, where: str) -> Policy:
    title = f"the caller {name!r}"
    try:
        return Policy(table.allow, title=title, default_deny=True, reads=table.reads)
    except ConfigurationError as error:
        raise ConfigurationError(f"{where}, [gateway.callers.{name}]: {error}") from error


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
    service = Service(
        gateway.callers,
        Limits(gateway.settings.organisation_rate),
        UserActions([], InMemory()),
        Upstream(auth, arguments["timeout"]),
    )
    return service, signer
