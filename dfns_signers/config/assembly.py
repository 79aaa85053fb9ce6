"""From settings to a signer: the layers of configuration, and what they choose."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from dfns_signers.backends.backend import Backend
from dfns_signers.backends.options import BackendOptions
from dfns_signers.config.deferred import DeferredSigner
from dfns_signers.config.files import ConfigFile, choose_profile, find_file
from dfns_signers.config.profile import Profile, SignerTable, validate
from dfns_signers.config.signer_line import parse_signer_line
from dfns_signers.errors import ConfigurationError, DfnsSignersError, PluginError
from dfns_signers.file_modes import readable_by_others
from dfns_signers.plugins import load_backend, load_hooks
from dfns_signers.secrets import Secret
from dfns_signers.signer import KeySigner
from dfns_signers.signing_key import SigningKey

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
        settings: the validated profile.
        origins: setting to place, such as ``environment variable DFNS_SIGNER``; a setting that is
            not in it has its default.
        folder: relative paths of the signer's options start here.
        signer_is_text: whether the signer came as one line, with texts for values.
    """

    name: str | None
    settings: Profile = field(repr=False)
    origins: Mapping[str, str]
    folder: Path
    signer_is_text: bool

    @property
    def signer(self) -> SignerTable | None:
        """The ``[signer]`` table, if any layer has one."""
        return self.settings.signer

    @property
    def title(self) -> str:
        """Names the profile in errors."""
        return f"profile {self.name!r}" if self.name else "the environment and arguments"


def load_signer(
    profile: str | None = None,
    *,
    config: str | os.PathLike[str] | None = None,
    **settings: Any,
) -> KeySigner:
    """Open the signer that the configuration chooses.

    Args:
        profile: name of the profile; else ``DFNS_PROFILE``, else the file's ``default_profile``.
        config: the configuration file; else ``DFNS_CONFIG``, else the default file if there is one.
        **settings: override settings of the profile: ``credential_id``, ``signer`` (a table as a
            mapping, or one line), ``plugins``.

    Raises:
        ConfigurationError: a setting is missing or wrong.
        PluginError: the backend cannot be loaded.
        SigningKeyError: the key cannot be opened.
    """
    return open_signer(load_profile(profile, config=config, **settings))


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


def validated_options(loaded: LoadedProfile) -> BackendOptions:
    """The options of the ``[signer]`` table as its backend reads them; no key is opened.

    Raises:
        ConfigurationError, PluginError: as ``load_signer``.
    """
    return _validated_signer(loaded)[2]


def open_key(loaded: LoadedProfile) -> SigningKey:
    """Open the key that the ``[signer]`` table names, and compare its fingerprint.

    Raises:
        ConfigurationError, PluginError, SigningKeyError: as ``load_signer``.
    """
    return _key_opener(loaded)()


def open_signer(loaded: LoadedProfile) -> KeySigner:
    """Open the key and make it a signer.

    Raises:
        ConfigurationError, PluginError, SigningKeyError: as ``load_signer``.
    """
    return _signer_opener(loaded)()


def deferred_signer(loaded: LoadedProfile) -> DeferredSigner:
    """A signer that opens its key at the first signature; options are checked now.

    Raises:
        ConfigurationError, PluginError: as ``load_signer``.
    """
    return DeferredSigner(_signer_opener(loaded))


def token_of(loaded: LoadedProfile) -> Secret:
    """The token provider for a client.

    Raises:
        ConfigurationError: none is configured.
    """
    if loaded.settings.auth_token is None:
        raise _missing(loaded, "auth_token", "the token of a service account or a user")
    return loaded.settings.auth_token


def client_options(loaded: LoadedProfile) -> dict[str, Any]:
    """Arguments of a client, besides token and signer."""
    settings = loaded.settings
    return {
        "base_url": settings.base_url,
        "timeout": settings.timeout,
        "max_attempts": settings.max_attempts,
    }


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
    settings = validate(
        Profile,
        values,
        where=_where(name, file),
        # A path in the file is relative to the file, elsewhere to the working directory.
        folder=folder if "auth_token" in from_file else Path(),
    )
    return LoadedProfile(
        name, settings, origins, folder if "signer" in from_file else Path(), signer_is_text
    )


def _where(name: str | None, file: ConfigFile | None) -> str:
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


def _validated_signer(loaded: LoadedProfile) -> tuple[str, Backend[Any], BackendOptions]:
    table = loaded.signer
    if table is None:
        raise _missing(loaded, "signer", "a table with 'backend' and its options")
    backend = load_backend(table.backend)
    options = validate(
        backend.options,
        table.options,
        where=f"{loaded.origins['signer']}, signer {table.backend!r}",
        folder=loaded.folder,
        texts=loaded.signer_is_text,
    )
    return table.backend, backend, options


def _key_opener(loaded: LoadedProfile) -> Callable[[], SigningKey]:
    name, backend, options = _validated_signer(loaded)

    def open_it() -> SigningKey:
        try:
            key = backend.open(options)
        except DfnsSignersError:
            raise
        except Exception as error:
            raise PluginError(
                f"the backend {name!r} failed to open its key: {type(error).__name__}: {error}"
            ) from error
        return _checked(key, options.fingerprint, name)

    return open_it


def _checked(key: object, fingerprint: str | None, backend: str) -> SigningKey:
    if not isinstance(key, SigningKey):
        raise PluginError(f"the backend {backend!r} opened no SigningKey but {type(key).__name__}")
    if fingerprint is not None:
        try:
            key.require_fingerprint(fingerprint)
        except DfnsSignersError:
            key.close()
            raise
    return key


def _signer_opener(loaded: LoadedProfile) -> Callable[[], KeySigner]:
    open_it = _key_opener(loaded)
    credential_id = loaded.settings.credential_id
    if credential_id is None:
        raise _missing(loaded, "credential_id", "the 'credId' that the key is registered as")
    hooks = load_hooks(loaded.settings.plugins)

    def open_signer_() -> KeySigner:
        key = open_it()
        _log.info(
            "credential %s signs with %s key %s, fingerprint %s",
            credential_id,
            key.algorithm,
            key.reference,
            key.fingerprint,
        )
        return KeySigner(key, credential_id, plugins=hooks)

    return open_signer_


def _missing(loaded: LoadedProfile, key: str, what: str) -> ConfigurationError:
    variable = next(name for name, setting in ENVIRONMENT.items() if setting == key)
    return ConfigurationError(
        f"{loaded.title}: {key!r} is missing ({what}): set it in the configuration file, or in "
        f"the environment variable {variable}"
    )
