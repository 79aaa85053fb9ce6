"""Create, list and show keys, each with a complete profile that signs with it."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel

from dfns_signers.algorithms import Algorithm, describe
from dfns_signers.backends.backend import Backend
from dfns_signers.backends.diagnosis import DiagnosesKeys
from dfns_signers.backends.management import KeyDescription, ManagesKeys
from dfns_signers.config.assembly import open_with, partial_options
from dfns_signers.config.files import PROFILE_VARIABLE, expanded, find_file, read_file
from dfns_signers.config.loading import LoadedProfile, load_profile
from dfns_signers.config.profile import SignerTable
from dfns_signers.config.validation import validate
from dfns_signers.config.writing import ConfigEdit
from dfns_signers.discovery import load_backend
from dfns_signers.errors import ConfigurationError, UnsupportedKeyError
from dfns_signers.lifecycle.key_profiles import (
    KeyProfile,
    as_configured,
    completed,
    configured_options,
    has_another_key,
    profile_name,
    with_literals,
    without_literals,
)
from dfns_signers.public_keys import public_key_pem
from dfns_signers.sealed import Sealed

_OF_THE_KEY: Final = ("credential_id",)


def create_key(
    algorithm: Algorithm,
    *,
    backend: str | None = None,
    options: Mapping[str, Any] | None = None,
    profile: str | None = None,
    config: str | os.PathLike[str] | None = None,
    name: str | None = None,
    adopt: bool = False,
) -> KeyProfile:
    """Create a signing key; nothing is written into the configuration.

    Args:
        algorithm: what it is to sign with.
        backend: the key store; that of the profile by default.
        options: of creating keys in that store, over those of the profile. Strings are converted;
            secrets as in a configuration file; a relative path starts at the working directory.
        profile: its key's region, address and credentials are used; the default profile where
            there is no ``backend``.
        config: the configuration file; else what ``DFNS_CONFIG`` names, else the default file.
        name: of the profile for the new key; else that of the profile in use, else one made of
            backend and key.
        adopt: whether to return the key that an earlier call made of the same options.

    Raises:
        ConfigurationError: an option or setting is missing or wrong, or the backend does not manage
            keys.
        PluginError: the backend cannot be loaded.
        UnsupportedKeyError: the key store has no keys for that algorithm, or the key that was found
            has another one.
        SigningKeyError: the key store refused or failed.
    """
    wanted = Sealed(options or {})
    del options
    store = _store(backend, config, profile)
    manager = store.manager
    given, validated = store.options(manager.create_options, wanted)
    found = manager.find(algorithm, validated) if adopt else None
    if found is not None and found.algorithm != algorithm:
        raise UnsupportedKeyError(
            f"the key {found.reference} exists already, and signs with {found.algorithm or 'none'} "
            f"of the algorithms that Dfns accepts, not with {algorithm}: choose another name for "
            "the new key"
        )
    description = found or manager.create(algorithm, validated)
    implied = manager.derived_options(description.signer).keys()
    names = store.backend.options.model_fields.keys() - implied
    table = completed(description.signer, configured_options(validated, given, names))
    settings = {key: value for key, value in store.settings().items() if key not in _OF_THE_KEY}
    return store.profile_of(description, table, settings, name)


def list_keys(
    *,
    backend: str | None = None,
    options: Mapping[str, Any] | None = None,
    profile: str | None = None,
    config: str | os.PathLike[str] | None = None,
) -> Iterator[KeyDescription]:
    """The signing keys in a store, page by page; arguments and errors as of ``create_key``."""
    wanted = Sealed(options or {})
    del options
    store = _store(backend, config, profile)
    manager = store.manager
    return manager.list_keys(store.options(manager.list_options, wanted)[1])


def show_key(
    *,
    backend: str | None = None,
    options: Mapping[str, Any] | None = None,
    profile: str | None = None,
    config: str | os.PathLike[str] | None = None,
    name: str | None = None,
) -> KeyProfile:
    """Open a key and describe it, with its public key.

    Args:
        backend: where the key is; that of the profile by default.
        options: of the ``[signer]`` table, over those of the profile. Strings are converted.
        profile: the key is that of this profile; the default one where there is no ``backend``.
        config: the configuration file; else what ``DFNS_CONFIG`` names, else the default file.
        name: of the profile that is described; else that of the profile in use, else one made of
            backend and key.

    Raises:
        ConfigurationError: an option or setting is missing or wrong.
        PluginError: the backend cannot be loaded.
        SigningKeyError: the key cannot be opened.
    """
    wanted = Sealed(options or {})
    del options
    store = _store(backend, config, profile)
    given, validated = store.options(store.backend.options, wanted)
    with open_with(store.name, store.backend, validated) as key:
        description = KeyDescription(
            reference=key.reference,
            algorithm=key.algorithm,
            kind=describe(key.public_key).partition(" ")[2],
            state=_state(store.backend, validated),
        )
        table = {"backend": store.name, **configured_options(validated, given)}
        shown = store.profile_of(description, table, store.settings(), name)
        return replace(
            shown, public_key=public_key_pem(key.public_key), fingerprint=key.fingerprint
        )


def require_without_key(
    *,
    backend: str | None = None,
    profile: str | None = None,
    config: str | os.PathLike[str] | None = None,
    name: str | None = None,
) -> None:
    """Refuse a profile that has a key, before ``create_key`` makes another one to be written there.

    Arguments as of ``create_key``; a name that would be made of the new key is not in the file.

    Raises:
        ConfigurationError: it has a ``[signer]`` table, or a file cannot be read.
    """
    name = _store(backend, config, profile).name_in_use(name)
    edit = ConfigEdit(config)
    if name is not None and "signer" in edit.profiles.get(name, {}):
        raise ConfigurationError(has_another_key(edit, name))


@dataclass(frozen=True, slots=True)
class _Store:
    """A backend, and the profile in use, if there is one."""

    name: str
    backend: Backend[Any]
    loaded: LoadedProfile | None
    config: str | os.PathLike[str] | None

    @property
    def manager(self) -> ManagesKeys[Any, Any]:
        """The backend; ConfigurationError if it does not manage keys."""
        if not isinstance(self.backend, ManagesKeys):
            raise ConfigurationError(
                f"the backend {self.name!r} opens keys and does not manage them: make one with the "
                "tools of its store"
            )
        return self.backend

    def options(
        self, model: type[BaseModel], given: Sealed[Mapping[str, Any]]
    ) -> tuple[Sealed[Mapping[str, Any]], Any]:
        """Options that are given, over those of the profile that the model takes too; validated."""
        table, where = Sealed[Mapping[str, Any]]({}), f"options for {self.name!r}"
        if self.loaded and self.loaded.signer and self.loaded.signer.backend == self.name:
            table = self._of_the_profile(self.loaded, self.loaded.signer, model)
            if not given.open():
                where = f"{self.loaded.origin('signer').place}, signer {self.name!r}"
        values: Sealed[Mapping[str, Any]] = Sealed({**table.open(), **given.open()})
        folder = Path.cwd()  # where a command line has its paths
        return values, validate(model, values.open(), where=where, folder=folder, texts=True)

    def _of_the_profile(
        self, loaded: LoadedProfile, signer: SignerTable, model: type[BaseModel]
    ) -> Sealed[Mapping[str, Any]]:
        """What the ``[signer]`` table says, and what its key implies, that a model takes."""
        own = with_literals(
            configured_options(partial_options(loaded, self.backend, model), signer.options)
        )
        table = own
        if isinstance(self.backend, ManagesKeys) and model is not self.backend.options:
            table = Sealed({**self.backend.derived_options(own.open()), **own.open()})
        return Sealed(
            {name: table.open()[name] for name in table.open() if name in model.model_fields}
        )

    def name_in_use(self, name: str | None) -> str | None:
        """The name that was given, else that of the profile in use."""
        return name or (self.loaded.name if self.loaded else None)

    def settings(self) -> dict[str, Any]:
        """What the file says in the profile besides ``signer``."""
        loaded = self.loaded
        file = find_file(self.config) if loaded and loaded.name else None
        if loaded is None or loaded.name is None or file is None:
            return {}
        table = file.profiles[loaded.name]
        return {
            name: as_configured(getattr(loaded.settings, name), table.open()[name])
            for name in table.open()
            if name != "signer" and loaded.origin(name).short == "file"
        }

    def profile_of(
        self,
        description: KeyDescription,
        table: Mapping[str, Any],
        settings: Mapping[str, Any],
        name: str | None,
    ) -> KeyProfile:
        """A key with its profile."""
        whole = {**settings, "signer": table}
        shown, omitted = without_literals(whole)
        described = replace(description, signer=shown["signer"] if description.algorithm else {})
        return KeyProfile(
            described,
            self.name_in_use(name) or profile_name(self.name, description),
            omitted,
            with_literals(whole),
        )


def _store(
    backend: str | None, config: str | os.PathLike[str] | None, profile: str | None
) -> _Store:
    loaded = None
    if backend is None or profile is not None or _chooses_a_profile(config):
        loaded = load_profile(profile, config=config)
    if backend is None:
        if loaded is None or loaded.signer is None:
            title = loaded.title if loaded else "the configuration"
            raise ConfigurationError(f"{title} has no [signer] table: name a --backend")
        backend = loaded.signer.backend
    return _Store(backend, load_backend(backend), loaded, config)


def _chooses_a_profile(config: str | os.PathLike[str] | None) -> bool:
    """Whether a file that was named is there, and a profile in it is the one to use."""
    if config is None or not expanded(config).exists():
        return False
    return bool(read_file(expanded(config)).default_profile or os.environ.get(PROFILE_VARIABLE))


def _state(backend: Backend[Any], options: BaseModel) -> str:
    """The state of a key in the words of its store; empty where the backend does not say it."""
    if isinstance(backend, DiagnosesKeys):
        for finding in backend.diagnose(options):
            if finding.check == "key state":
                return finding.message
    return ""
