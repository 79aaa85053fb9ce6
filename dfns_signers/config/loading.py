"""The layers of configuration: a file, the environment and arguments, made one profile."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from dfns_signers.config.files import ConfigFile, choose_profile, find_file
from dfns_signers.config.profile import Profile, SignerTable
from dfns_signers.config.signer_line import parse_signer_line
from dfns_signers.config.validation import validate
from dfns_signers.errors import ConfigurationError
from dfns_signers.file_modes import readable_by_others
from dfns_signers.secrets import Secret

ENVIRONMENT: Final = {
    "DFNS_BASE_URL": "base_url",
    "DFNS_AUTH_TOKEN": "auth_token",
    "DFNS_CREDENTIAL_ID": "credential_id",
    "DFNS_SIGNER": "signer",
}
"""Environment variables, and the setting of the profile that each overrides."""

_log: Final = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class LoadedProfile:
    """Settings, validated, each with where it came from.

    Attributes:
        name: of the profile; None where only the environment and arguments speak.
        title: names the profile and its file in errors.
        settings: the validated profile.
        origins: setting to place, such as ``environment variable DFNS_SIGNER``; a setting that is
            not in it has its default.
        folder: relative paths of the signer's options start here.
        signer_is_text: whether the signer came as one line, with texts for values.
    """

    name: str | None
    title: str
    settings: Profile = field(repr=False)
    origins: Mapping[str, str]
    folder: Path
    signer_is_text: bool

    @property
    def signer(self) -> SignerTable | None:
        """The ``[signer]`` table, if any layer has one."""
        return self.settings.signer


def load_profile(
    profile: str | None = None,
    *,
    config: str | os.PathLike[str] | None = None,
    **settings: Any,
) -> LoadedProfile:
    """Read and check the settings, without opening a key; arguments as for ``load_signer``.

    Raises:
        ConfigurationError: a setting is missing or wrong.
    """
    file = find_file(config)
    name = choose_profile(file, profile)
    layers = [
        *_file_layer(file, name),
        *_environment_layer(),
        *(("argument", key, value) for key, value in settings.items() if value is not None),
    ]
    values: dict[str, Any] = {}
    origins: dict[str, str] = {}
    for origin, key, value in layers:
        values[key], origins[key] = value, origin
    _warn_of_open_file(file, values, origins)
    return _validated(name, file, values, origins)


def _file_layer(file: ConfigFile | None, name: str | None) -> list[tuple[str, str, Any]]:
    if file is None or name is None:
        return []
    origin = f"configuration file {file.path}, profile {name!r}"
    return [(origin, key, value) for key, value in file.profiles[name].items()]


def _environment_layer() -> list[tuple[str, str, Any]]:
    layer: list[tuple[str, str, Any]] = []
    for variable, key in ENVIRONMENT.items():
        value = os.environ.get(variable)
        if value is None:
            continue
        origin = f"environment variable {variable}"
        if not value.strip():
            raise ConfigurationError(f"{origin} is set and empty: give it a value, or unset it")
        layer.append((origin, key, Secret.from_env(variable) if key == "auth_token" else value))
    return layer


def _validated(
    name: str | None, file: ConfigFile | None, values: dict[str, Any], origins: dict[str, str]
) -> LoadedProfile:
    from_file = {key for key, origin in origins.items() if origin.startswith("configuration file")}
    folder = file.path.parent if file else Path()
    signer_is_text = isinstance(values.get("signer"), str)
    if signer_is_text:
        values["signer"] = parse_signer_line(values["signer"], origins["signer"])
    if isinstance(values.get("signer"), Mapping):
        values["signer"] = dict(values["signer"])
    title = _title(name, file)
    settings = validate(
        Profile,
        values,
        where=title,
        origins=origins,
        # A path in the file is relative to the file, elsewhere to the working directory.
        folder=folder if "auth_token" in from_file else Path(),
    )
    return LoadedProfile(
        name, title, settings, origins, folder if "signer" in from_file else Path(), signer_is_text
    )


def _title(name: str | None, file: ConfigFile | None) -> str:
    if file is None or name is None:
        return "settings from the environment and arguments"
    return f"configuration file {file.path}, profile {name!r}"


def _warn_of_open_file(
    file: ConfigFile | None, values: Mapping[str, Any], origins: Mapping[str, str]
) -> None:
    if file is None or not readable_by_others(file.mode):
        return
    literal = isinstance(values.get("auth_token"), str)
    if literal and origins["auth_token"].startswith("configuration file"):
        _log.warning(
            "the configuration file %s holds a token and other users can read it; run: "
            "chmod 600 %s",
            file.path,
            file.path,
        )
