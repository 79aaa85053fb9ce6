"""The gateway of a configuration file, checked; no key is opened."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from dfns_signers.config.files import ConfigFile, default_path, find_file, unknown_profile
from dfns_signers.config.loading import LoadedProfile, load_profile
from dfns_signers.config.profile_guards import configured_policy
from dfns_signers.config.validation import validate
from dfns_signers.errors import ConfigurationError
from dfns_signers.gateway.callers.callers import Callers
from dfns_signers.gateway.callers.configured_callers import callers_of
from dfns_signers.gateway.configuration.certificates import check_certificates
from dfns_signers.gateway.configuration.places import placing
from dfns_signers.gateway.configuration.settings import GatewaySettings
from dfns_signers.gateway.configuration.settings_checks import check_settings
from dfns_signers.gateway.replicas import Replicas, replicas_of
from dfns_signers.sealed import Sealed

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
    file = gateway_file(config)
    exposed = file.path if file.is_exposed else None
    settings = read_settings(file.gateway, file.path, exposed=exposed)
    loaded = _profile(profile, settings, file)
    for name, table in settings.tls.items():
        with placing(file.path, f"gateway.tls.{name}"):
            check_certificates(table)
    with placing(file.path, "gateway"):
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


def gateway_file(config: str | os.PathLike[str] | None) -> ConfigFile:
    """The configuration file of a gateway.

    Args:
        config: as for ``load_signer``.

    Raises:
        ConfigurationError: there is none, or it has no table ``[gateway]``.
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
    return file


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


def _profile(asked: str | None, settings: GatewaySettings, file: ConfigFile) -> LoadedProfile:
    if asked is not None or settings.profile is None:
        return load_profile(asked, config=file.path)
    if settings.profile not in file.profiles:
        place = f"configuration file {file.path}, [gateway], key 'profile'"
        raise unknown_profile(place, settings.profile, file.profiles)
    return load_profile(settings.profile, config=file.path)


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
