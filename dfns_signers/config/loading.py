"""The layers of configuration: a file, the environment and arguments, made one profile."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, TypeAlias

from typing_extensions import Unpack

from dfns_signers.config.files import ConfigFile, choose_profile, find_file
from dfns_signers.config.profile import ENVIRONMENT, Profile, Settings, SignerTable
from dfns_signers.config.signer_line import parse_signer_line
from dfns_signers.config.validation import validate
from dfns_signers.errors import ConfigurationError, PluginError
from dfns_signers.file_modes import readable_by_others

Layer: TypeAlias = dict[str, tuple["Origin", Any]]


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a setting comes from.

    Attributes:
        short: such as ``file``, ``DFNS_SIGNER`` or ``argument``.
        place: names the place in an error, such as ``configuration file X, profile 'p'``.
        folder: relative paths in the setting start here.
    """

    short: str
    place: str
    folder: Path = Path()

    @property
    def is_file(self) -> bool:
        """Whether it is the configuration file."""
        return self.short == "file"


DEFAULT: Final = Origin("default", "the default")

_log: Final = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class LoadedProfile:
    """Settings, validated, each with where it came from.

    Attributes:
        name: of the profile; None where only the environment and arguments speak.
        title: names the profile and its file in errors.
        settings: the validated profile.
        origins: where each setting comes from that has not its default.
        signer_is_text: whether the signer came as one line, with texts for values.
    """

    name: str | None
    title: str
    settings: Profile = field(repr=False)
    origins: Mapping[str, Origin]
    signer_is_text: bool

    @property
    def signer(self) -> SignerTable | None:
        """The ``[signer]`` table, if any layer has one."""
        return self.settings.signer

    def origin(self, setting: str) -> Origin:
        """Where a setting comes from."""
        return self.origins.get(setting, DEFAULT)

    @contextmanager
    def placing(self, setting: str, key: str = "") -> Iterator[None]:
        """Name the place of a setting, and its key, in the errors that are raised within."""
        try:
            yield
        except (ConfigurationError, PluginError) as error:
            place = self.origin(setting).place
            raise type(error)(f"{place}, key {key or setting!r}: {error}") from error


def load_profile(
    profile: str | None = None,
    *,
    config: str | os.PathLike[str] | None = None,
    **settings: Unpack[Settings],
) -> LoadedProfile:
    """Read and check the settings, without opening a key; arguments as for ``load_signer``.

    Raises:
        ConfigurationError: a setting is missing or wrong.
    """
    file = find_file(config)
    name = choose_profile(file, profile)
    title = "the environment and arguments"
    found: Layer = {}
    if file and name:
        title = f"configuration file {file.path}, profile {name!r}"
        origin = Origin("file", title, file.path.parent)
        found = {key: (origin, value) for key, value in file.profiles[name].items()}
    found |= _environment_layer() | _argument_layer(settings)
    if file:
        _warn_of_open_file(file, *found.get("auth_token", (DEFAULT, None)))
    return _validated(name, title, found)


def _environment_layer() -> Layer:
    layer: Layer = {}
    for key, env in ENVIRONMENT.items():
        value: Any = os.environ.get(env.variable)
        if value is None:
            continue
        origin = Origin(env.variable, f"environment variable {env.variable}")
        if not value.strip():
            raise ConfigurationError(
                f"{origin.place} is set and empty: give it a value, or unset it"
            )
        with suppress(ValueError):
            value = env.read(value)
        layer[key] = (origin, value)
    return layer


def _argument_layer(settings: Mapping[str, object]) -> Layer:
    origin = Origin("argument", "argument")
    return {key: (origin, value) for key, value in settings.items() if value is not None}


def _warn_of_open_file(file: ConfigFile, origin: Origin, token: object) -> None:
    if origin.is_file and isinstance(token, str) and readable_by_others(file.mode):
        _log.warning(
            "the configuration file %s holds a token and other users can read it; run: "
            "chmod 600 %s",
            file.path,
            file.path,
        )


def _validated(name: str | None, title: str, found: Layer) -> LoadedProfile:
    origins = {key: origin for key, (origin, _) in found.items()}
    values = {key: value for key, (_, value) in found.items()}
    signer = values.get("signer")
    if isinstance(signer, str):
        values["signer"] = parse_signer_line(signer, origins["signer"].place)
    elif isinstance(signer, Mapping):
        values["signer"] = dict(signer)
    settings = validate(
        Profile,
        values,
        where=title,
        places={key: origin.place for key, origin in origins.items()},
        folder=origins.get("auth_token", DEFAULT).folder,
        # Signing alone needs no token: it is read by the client that sends it.
        reveal=False,
    )
    return LoadedProfile(name, title, settings, origins, isinstance(signer, str))
