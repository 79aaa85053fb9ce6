"""The layers of configuration: a file, the environment and arguments, made one profile."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, TypeAlias

from typing_extensions import Unpack

from dfns_signers.config.files import ConfigFile, choose_profile, find_file
from dfns_signers.config.profile import ENVIRONMENT, Profile, Settings, SignerTable
from dfns_signers.config.signer_line import parse_signer_line
from dfns_signers.config.validation import validate
from dfns_signers.errors import AuditError, ConfigurationError, PluginError
from dfns_signers.sealed import Sealed

Layer: TypeAlias = dict[str, tuple["Origin", Sealed[Any]]]


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a setting comes from.

    Attributes:
        short: such as ``file``, ``DFNS_SIGNER`` or ``argument``.
        place: names the place in an error, such as ``configuration file X, profile 'p'``.
        folder: relative paths in the setting start here.
        exposed: the file that it is in, if other users can read that.
    """

    short: str
    place: str
    folder: Path = Path()
    exposed: Path | None = None

    @property
    def is_variable(self) -> bool:
        """Whether it is an environment variable."""
        return self.place.startswith("environment variable ")


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
        overridden: settings of the profile that an environment variable replaced.
        signer_is_text: whether the signer came as one line, with strings for values.
        file: the configuration file that the profile is in, absolute; None where ``name`` is.
    """

    name: str | None
    title: str
    settings: Profile = field(repr=False)
    origins: Mapping[str, Origin]
    overridden: frozenset[str]
    signer_is_text: bool
    file: Path | None = None

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
        except (AuditError, ConfigurationError, PluginError) as error:
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
    arguments = _argument_layer(settings)
    del settings
    file = find_file(config)
    name = choose_profile(file, profile)
    environment = _environment_layer()
    if not (file and name):
        return _validated(None, "the environment and arguments", environment | arguments)
    found = _file_layer(file, name)
    both = _in_both(found, environment) - arguments.keys()
    if profile is None:
        return _validated(name, _title(file, name), found | environment | arguments, both, file)
    _warn_of_variables(name, both)
    return _validated(name, _title(file, name), environment | found | arguments, file=file)


def _title(file: ConfigFile, name: str) -> str:
    return f"configuration file {file.path}, profile {name!r}"


def _file_layer(file: ConfigFile, name: str) -> Layer:
    exposed = file.path if file.is_exposed else None
    origin = Origin("file", _title(file, name), file.path.parent, exposed)
    table = file.profiles[name]
    return {key: (origin, Sealed(value)) for key, value in table.open().items()}


def _environment_layer() -> Layer:
    layer: Layer = {}
    for key, env in ENVIRONMENT.items():
        if env.variable not in os.environ:
            continue
        text = Sealed(os.environ[env.variable])
        origin = Origin(env.variable, f"environment variable {env.variable}")
        if not text.open().strip():
            raise ConfigurationError(
                f"{origin.place} is set and empty: give it a value, or unset it"
            )
        value: Sealed[Any] = text
        with suppress(ValueError):
            value = Sealed(env.read(text.open()))
        layer[key] = (origin, value)
    return layer


def _argument_layer(settings: Mapping[str, object]) -> Layer:
    origin = Origin("argument", "argument")
    return {key: (origin, Sealed(value)) for key, value in settings.items() if value is not None}


def _in_both(found: Layer, environment: Layer) -> frozenset[str]:
    """The settings for which a profile says another thing than a variable."""
    return frozenset(
        key
        for key in found.keys() & environment.keys()
        if found[key][1].open()
        not in (environment[key][1].open(), {"env": environment[key][0].short})
    )


def _warn_of_variables(profile: str, settings: Iterable[str]) -> None:
    for setting in sorted(settings):
        _log.warning(
            "the environment variable %s does not count: the profile %r was named and sets %r",
            ENVIRONMENT[setting].variable,
            profile,
            setting,
        )


def _validated(
    name: str | None,
    title: str,
    found: Layer,
    overridden: frozenset[str] = frozenset(),
    file: ConfigFile | None = None,
) -> LoadedProfile:
    origins = {key: origin for key, (origin, _) in found.items()}
    values = {key: value for key, (_, value) in found.items()}
    signer = values.get("signer", Sealed(None))
    is_text = isinstance(signer.open(), str)
    if is_text:
        values["signer"] = Sealed(parse_signer_line(signer.open(), origins["signer"].place))
    elif isinstance(signer.open(), Mapping):
        values["signer"] = Sealed(dict(signer.open()))
    if "audit" in values:
        values["audit"] = _from_its_own_folder(values["audit"], origins["audit"].folder)
    token = origins.get("auth_token", DEFAULT)
    settings = validate(
        Profile,
        {key: value.open() for key, value in values.items()},
        where=title,
        places={key: origin.place for key, origin in origins.items()},
        folder=token.folder,
        exposed=token.exposed,
        # Signing alone needs no token: it is read by the client that sends it.
        reveal=False,
    )
    path = file.path.absolute() if file else None
    return LoadedProfile(name, title, settings, origins, overridden, is_text, path)


def _from_its_own_folder(audit: Sealed[Any], folder: Path) -> Sealed[Any]:
    """The table ``audit`` with the path of its file in full: the folder may not be the token's."""
    table = audit.open()
    if not isinstance(table, Mapping) or not isinstance(table.get("file"), str):
        return audit
    file = os.path.expanduser(table["file"])  # noqa: PTH111  # as for ConfigPath
    return Sealed({**table, "file": str(folder.absolute() / file) if file else ""})
