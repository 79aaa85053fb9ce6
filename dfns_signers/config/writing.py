"""Write profiles into a configuration file: comments and the order of what is there stay.

Needs tomlkit, of the extra ``cli``.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from dfns_signers.config.files import CONFIG_VARIABLE, default_path, expanded, parse, read_text
from dfns_signers.errors import ConfigurationError
from dfns_signers.sealed import Sealed


class ConfigEdit:
    """A configuration file as it is to be.

    Nothing is written before ``write``.

    Args:
        path: the file; else what ``DFNS_CONFIG`` names, else the default file. It need not exist.

    Attributes:
        path: where it is.
        is_new: whether there is no such file yet.

    Raises:
        ConfigurationError: it cannot be read or is not valid TOML, others can write it, or tomlkit
            is not installed.
    """

    def __init__(self, path: str | os.PathLike[str] | None = None) -> None:
        self.path = _path(path)
        self.is_new = not self.path.exists()
        self._before = Sealed(b"") if self.is_new else read_text(self.path)
        self._tables: Sealed[Any] = Sealed(_parsed(self._before, self.path))

    @property
    def profiles(self) -> Mapping[str, Mapping[str, Any]]:
        """The table of each profile, as plain values."""
        found: Mapping[str, Mapping[str, Any]] = self._tables.open().unwrap().get("profiles", {})
        return found

    def put(self, profile: str, settings: Mapping[str, Any]) -> None:
        """Set settings of a profile, which is added if it is not there; others stay.

        Args:
            profile: its name.
            settings: as in the file, ``signer`` as a mapping, which replaces the whole table. None
                removes a setting.
        """
        given = Sealed(settings)
        del settings
        table = _table(_table(self._tables.open(), "profiles", is_super=True), profile)
        _set(table, given)

    def remove(self, profile: str) -> None:
        """Remove a profile with all its tables; nothing happens if it is not there."""
        self._tables.open().get("profiles", {}).pop(profile, None)

    def set_default(self, profile: str) -> None:
        """Make a profile the default one."""
        self._tables.open()["default_profile"] = profile

    @property
    def text(self) -> str:
        """The file as it is to be: with what secrets are in it as literals."""
        written: str = self._tables.open().as_string()
        return written

    def write(self, *, keep_copy: bool = False) -> Path | None:
        """Replace the file, at once and for good; a new one only its owner can read.

        Args:
            keep_copy: whether to keep the file as it was beside it, as ``NAME.bak``, or
                ``NAME.bak2`` and so on.

        Returns:
            The copy, if there is one.

        Raises:
            ConfigurationError: it cannot be written, or was changed since it was read.
        """
        try:
            self._require_unchanged()
            copy = self._keep_copy() if keep_copy and not self.is_new else None
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            _replace_file(self.path, Sealed(self.text.encode("utf-8")))
        except OSError as error:
            raise ConfigurationError(
                f"the configuration file {self.path} cannot be written: "
                f"{error.strerror or error}. It was left as it is"
            ) from error
        self._before, self.is_new = Sealed(self.text.encode("utf-8")), False
        return copy

    def _require_unchanged(self) -> None:
        found = self.path.read_bytes() if self.path.exists() else b""
        if found != self._before.open():
            raise ConfigurationError(
                f"the configuration file {self.path} was changed meanwhile, and was left as it is: "
                "run the command again"
            )

    def _keep_copy(self) -> Path:
        names = (f"{self.path.name}.bak{number}" for number in ("", *range(2, 10_000)))
        copy = next(path for path in map(self.path.with_name, names) if not path.exists())
        _replace_file(copy, self._before)
        return copy


def profile_toml(profile: str, settings: Mapping[str, Any]) -> str:
    """The tables of a profile in TOML, under its name, as they can be put into a file."""
    import tomlkit  # noqa: PLC0415  # of an extra

    document = tomlkit.document()
    _set(_table(_table(document, "profiles", is_super=True), profile), Sealed(settings))
    return document.as_string()


def _path(path: str | os.PathLike[str] | None) -> Path:
    asked = path if path is not None else os.environ.get(CONFIG_VARIABLE)
    return (expanded(asked) if asked else default_path()).resolve()


def _parsed(content: Sealed[bytes], path: Path) -> Any:
    try:
        import tomlkit  # noqa: PLC0415  # of an extra
    except ImportError as error:
        raise ConfigurationError(
            'the configuration file cannot be written without tomlkit: pip install "dfns-signers'
            '[cli]"'
        ) from error
    parse(content, path)
    return tomlkit.parse(content.open().decode("utf-8-sig"))


def _table(parent: Any, name: str, *, is_super: bool = False) -> Any:
    import tomlkit  # noqa: PLC0415  # of an extra

    if name not in parent:
        parent[name] = tomlkit.table(is_super)
    return parent[name]


def _set(table: Any, settings: Sealed[Mapping[str, Any]]) -> None:
    """Set some keys of a table, and remove those that are None."""
    import tomlkit  # noqa: PLC0415  # of an extra

    for name in settings.open():
        value = Sealed(settings.open()[name])
        if value.open() is None:
            table.pop(name, None)
        elif not isinstance(value.open(), Mapping):
            table[name] = value.open()
        elif _is_reference(value.open().keys()):
            table[name] = _inline(value)
        else:
            if not isinstance(table.get(name), tomlkit.items.Table):
                table[name] = tomlkit.table()
            _replace_items(table[name], value)


def _replace_items(table: Any, values: Sealed[Mapping[str, Any]]) -> None:
    """Have a table say these values and no others; comments in it stay."""
    for name in [name for name in table if name not in values.open()]:
        table.remove(name)
    for name in values.open():
        value = Sealed(values.open()[name])
        table[name] = _inline(value) if isinstance(value.open(), Mapping) else value.open()


def _is_reference(names: Iterable[str]) -> bool:
    """Whether a table is that of a secret, ``{ env = … }`` or ``{ file = … }``."""
    return list(names) in (["env"], ["file"])


def _inline(value: Sealed[Mapping[str, Any]]) -> Any:
    import tomlkit  # noqa: PLC0415  # of an extra

    table = tomlkit.inline_table()
    table.update(value.open())
    return table


def _replace_file(path: Path, content: Sealed[bytes]) -> None:
    """Write a file beside another one, and put it in its place."""
    mode = path.stat().st_mode & 0o777 if path.exists() else 0o600
    new = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(content.open())
            stream.flush()
            os.fsync(stream.fileno())
        new.chmod(mode)
        new.replace(path)
    finally:
        new.unlink(missing_ok=True)
