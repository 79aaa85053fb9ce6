"""A key with the profile that signs with it: shown in TOML, or written into the configuration."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel

from dfns_signers.backends.management import KeyDescription
from dfns_signers.config.signer_line import parse_signer_line
from dfns_signers.config.validation import validate
from dfns_signers.config.writing import ConfigEdit, config_path, profile_toml
from dfns_signers.discovery import load_backend
from dfns_signers.errors import ConfigurationError, DfnsSignersError
from dfns_signers.sealed import Sealed
from dfns_signers.secrets import Secret

_NOT_OF_A_NAME: Final = re.compile(r"[^A-Za-z0-9_]+")


@dataclass(frozen=True, slots=True)
class KeyProfile:
    """A key, and a complete profile for it.

    Attributes:
        description: the key; its ``signer`` is the complete table, without literal secrets.
        name: of the profile.
        omitted: settings that are literal secrets, such as ``signer.passphrase``: ``toml`` leaves
            them out, ``write`` writes them.
        settings: those of the profile, with ``signer``, as a configuration file has them; sealed,
            for literal secrets are in them.
        public_key: in PEM, where the key was opened.
        fingerprint: ``sha256:`` and 64 hex digits, where the key was opened.
    """

    description: KeyDescription
    name: str
    omitted: tuple[str, ...] = ()
    settings: Sealed[Mapping[str, Any]] = field(default_factory=lambda: Sealed({}), repr=False)
    public_key: str | None = None
    fingerprint: str | None = None

    def toml(self) -> str:
        """The tables of the profile, to be put into a file; without literal secrets."""
        shown = dict(self.settings.open())
        for name in self.omitted:
            shown.pop(name, None)
        return profile_toml(self.name, {**shown, "signer": self.description.signer})

    def write(self, config: str | os.PathLike[str] | None = None, *, force: bool = False) -> Path:
        """Put the profile into the configuration file; other settings of it stay.

        Args:
            config: the file; else what ``DFNS_CONFIG`` names, else the default file. It need not
                exist.
            force: whether to replace another key that the profile has. Its ``credential_id``, which
                stands for that other key, is then removed.

        Returns:
            The file.

        Raises:
            ConfigurationError: the profile has another key, or the file cannot be written.
        """
        edit = ConfigEdit(config)
        found = Sealed(edit.profiles.get(self.name, {}).get("signer"))
        is_other = found.open() is not None and not self._is_signer(
            found, config_path(config).parent
        )
        if is_other and not force:
            raise ConfigurationError(has_another_key(edit, self.name))
        replaced = {"credential_id": None} if is_other else {}
        edit.put(self.name, {**replaced, **self.settings.open()})
        edit.write()
        return edit.path

    def _is_signer(self, found: Sealed[Any], folder: Path) -> bool:
        """Whether a ``[signer]`` table of a file is the one of this profile."""
        try:
            table = signer_table(found, folder)
        except DfnsSignersError:  # one that cannot be read is another one
            return False
        return bool(with_literals(table).open() == self.settings.open()["signer"])


def signer_table(found: Sealed[Any], folder: Path) -> dict[str, Any]:
    """A ``[signer]`` table, or the one line of it, as it would be in any folder; literals sealed.

    Raises:
        ConfigurationError: it is not valid.
        PluginError: its backend cannot be loaded.
    """
    is_line = isinstance(found.open(), str)
    table = Sealed(parse_signer_line(found.open(), "signer") if is_line else dict(found.open()))
    name = table.open().pop("backend", "")
    model = load_backend(name).options
    options = validate(
        model, table.open(), where="signer", folder=folder, texts=is_line, reveal=False
    )
    return {"backend": name, **configured_options(options, table)}


def configured_options(
    options: BaseModel, given: Sealed[Any], names: Collection[str] | None = None
) -> dict[str, Any]:
    """Options that were given, as a configuration file has them; all, or those of some names."""
    return {
        name: as_configured(getattr(options, name), given.open()[name])
        for name in type(options).model_fields
        if name in given.open() and (names is None or name in names)
    }


def completed(table: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """A ``[signer]`` table with what it lacks of another one, also within its tables."""
    whole = {**given, **table}
    for name in table.keys() & given.keys():
        if isinstance(table[name], Mapping) and isinstance(given[name], Mapping):
            whole[name] = completed(table[name], given[name])
    return whole


def has_another_key(edit: ConfigEdit, name: str) -> str:
    """Why a profile is not written."""
    return (
        f"configuration file {edit.path}: the profile {name!r} has another key, and was left as it "
        "is: choose another name with --name, or replace its key with --force"
    )


def profile_name(backend: str, description: KeyDescription) -> str:
    """A name for the profile of a key: the backend, and what the key is called."""
    called = next(iter(description.names), description.reference).partition(" at ")[0]
    *before, last = re.split(r"[/\\]", called)
    if last.isdecimal() and len(before) > 1:  # a version, below the name of its key
        last = f"{before[-2]}-{last}"
    return _NOT_OF_A_NAME.sub("-", f"{backend}-{last}").strip("-")


def as_configured(value: Any, given: Any) -> Any:
    """A validated value as a configuration file has it, in whatever folder that is.

    Args:
        value: what validation made of it.
        given: what was given: strings for numbers from a command line, say.

    Returns:
        A secret as its reference, and as Sealed where it is a literal; a path absolute.
    """
    if isinstance(value, Secret):
        return dict(value.reference) if value.reference else Sealed(value.reveal())
    if isinstance(value, os.PathLike):
        return os.path.abspath(value)  # noqa: PTH100  # a link stays one
    if isinstance(value, BaseModel) and isinstance(given, Mapping):
        return {name: as_configured(getattr(value, name), given[name]) for name in given}
    if isinstance(given, str) and value is not None:
        return value
    return given


def without_literals(settings: Mapping[str, Any], place: str = "") -> tuple[Any, tuple[str, ...]]:
    """Settings without what is sealed, and the names of that."""
    kept: dict[str, Any] = {}
    omitted: tuple[str, ...] = ()
    for name, value in settings.items():
        if isinstance(value, Sealed):
            omitted += (f"{place}{name}",)
        elif isinstance(value, Mapping):
            kept[name], within = without_literals(value, f"{place}{name}.")
            omitted += within
        else:
            kept[name] = value
    return kept, omitted


def with_literals(settings: Mapping[str, Any]) -> Sealed[Mapping[str, Any]]:
    """Settings with what is sealed in them as it is."""
    return Sealed({name: _opened(value) for name, value in settings.items()})


def _opened(value: Any) -> Any:
    if isinstance(value, Sealed):
        return value.open()
    if isinstance(value, Mapping):
        return {name: _opened(inner) for name, inner in value.items()}
    return value
