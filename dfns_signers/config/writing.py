"""Write tables into a configuration file: comments and the order of what is there stay.

Needs tomlkit, of the extra ``cli``.
"""

from __future__ import annotations

import os
import secrets
import stat
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from dfns_signers.config.files import (
    asked_path,
    default_path,
    read_file,
    read_text,
)
from dfns_signers.errors import ConfigurationError
from dfns_signers.private_files import create_private_file, reason_of, sync_folder
from dfns_signers.sealed import Sealed

if TYPE_CHECKING:
    from dfns_signers.config.toml_editing import TomlDocument

_BYTE_ORDER_MARK: Final = "\ufeff"
_COPIES: Final = 10_000


class ConfigEdit:
    """A configuration file as it is to be.

    Nothing is written before ``write``. What is not asked for stays as it is, byte for byte.

    Args:
        path: the file; else what ``DFNS_CONFIG`` names, else the default file. It need not exist.

    Attributes:
        path: where it is; behind a symbolic link, what that leads to.
        is_new: whether there is no such file yet.

    Raises:
        ConfigurationError: it cannot be read or is not a configuration file, such as a device,
            others can write it, or tomlkit is not installed.
    """

    def __init__(self, path: str | os.PathLike[str] | None = None) -> None:
        self.path = _resolved(config_path(path))
        self.is_new = not os.path.lexists(self.path)
        if not self.is_new:
            _require_regular(self.path)
        self._before = Sealed(b"") if self.is_new else read_text(self.path)
        if not self.is_new:
            read_file(self.path)
        text = Sealed(self._before.open().decode("utf-8"))
        self._mark = _BYTE_ORDER_MARK if text.open().startswith(_BYTE_ORDER_MARK) else ""
        self._document = _document(Sealed(text.open().removeprefix(_BYTE_ORDER_MARK)))
        if self.text != text.open():
            raise ConfigurationError(
                f"the configuration file {self.path} cannot be edited: tomlkit does not read it as "
                "Python does. Edit it by hand"
            )

    @property
    def profiles(self) -> Mapping[str, Mapping[str, Any]]:
        """The table of each profile, as plain values."""
        found: Mapping[str, Mapping[str, Any]] = self._document.open().values.get("profiles", {})
        return found

    @property
    def gateway(self) -> Mapping[str, Any]:
        """The table ``[gateway]``, as plain values; empty if it is not there."""
        found: Mapping[str, Any] = self._document.open().values.get("gateway", {})
        return found

    def put_below_gateway(self, table: Sequence[str], settings: Mapping[str, Any]) -> None:
        """Set settings of a table below ``[gateway]``, mappings as inline tables; others stay.

        Args:
            table: names of the tables from there, such as ``("callers", "payments")``.
            settings: as in the file.

        Raises:
            ConfigurationError: a value is of a type that TOML does not have.
        """
        path = ("gateway", *table)

        def put(document: TomlDocument) -> None:
            for name, value in settings.items():
                document.set_value((*path, name), value)

        self._edit(put)

    def remove_below_gateway(self, table: Sequence[str]) -> None:
        """Remove a table below ``[gateway]`` with all its tables; no error if it is not there."""
        self._edit(lambda document: document.remove(("gateway", *table)))

    def put(self, profile: str, settings: Mapping[str, Any]) -> None:
        """Set settings of a profile, which is added if it is not there; others stay.

        Args:
            profile: its name.
            settings: as in the file, ``signer`` as a mapping, which replaces the whole table. None
                removes a setting.

        Raises:
            ConfigurationError: a value is of a type that TOML does not have.
        """
        given = Sealed(settings)
        del settings
        self._edit(lambda document: _put(document, profile, given))

    def remove(self, profile: str) -> None:
        """Remove a profile with all its tables; nothing happens if it is not there."""
        self._edit(lambda document: document.remove(("profiles", profile)))

    def set_default(self, profile: str) -> None:
        """Make a profile the default one."""
        self._edit(lambda document: document.set_value(("default_profile",), profile))

    @property
    def text(self) -> str:
        """The file as it is to be: with what secrets are in it as literals."""
        return self._mark + self._document.open().text

    def write(self, *, keep_copy: bool = False) -> Path | None:
        """Replace the file, at once and for good; a new one only its owner can read.

        Args:
            keep_copy: whether to keep the file as it was beside it, as ``NAME.bak``, or
                ``NAME.bak2`` and so on. A copy that is there already is not made again.

        Returns:
            The copy, if there is one.

        Raises:
            ConfigurationError: it cannot be written, or was changed since it was read.
        """
        after = Sealed(self.text.encode("utf-8"))
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with self._only_writer():
                self._require_unchanged()
                copy = self._keep_copy() if keep_copy and not self.is_new else None
                _replace_file(self.path, after, self._require_unchanged)
        except OSError as error:
            raise ConfigurationError(
                f"the configuration file {self.path} cannot be written: "
                f"{reason_of(error)}. It was left as it is"
            ) from error
        self._before, self.is_new = after, False
        return copy

    def _edit(self, change: Callable[[TomlDocument], None]) -> None:
        problem = ""
        try:
            change(self._document.open())
        except (TypeError, ValueError) as error:  # not chained: its frames have the settings
            problem = type(error).__name__
        if problem:
            raise ConfigurationError(
                f"the configuration file {self.path} cannot take these settings ({problem}): "
                "expected strings, numbers, booleans, lists and mappings"
            )

    @contextmanager
    def _only_writer(self) -> Iterator[None]:
        """Keep other processes from editing the file until this one has replaced it."""
        with ExitStack() as stack:
            if os.name == "posix":
                import fcntl  # noqa: PLC0415  # there is none elsewhere

                folder = os.open(self.path.parent, os.O_RDONLY)
                stack.callback(os.close, folder)
                try:
                    fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    raise self._changed() from None
                except OSError:  # some network file systems have no locks
                    pass
            yield

    def _changed(self) -> ConfigurationError:
        return ConfigurationError(
            f"the configuration file {self.path} was changed meanwhile, and was left as it is: "
            "run the command again"
        )

    def _require_unchanged(self) -> None:
        found = Sealed(self.path.read_bytes() if self.path.exists() else b"")
        if found.open() != self._before.open():
            raise self._changed()

    def _keep_copy(self) -> Path:
        for number in ("", *range(2, _COPIES)):
            copy = self.path.with_name(f"{self.path.name}.bak{number}")
            if not copy.exists():
                _replace_file(copy, self._before)
                return copy
            if copy.read_bytes() == self._before.open():
                return copy
        raise ConfigurationError(
            f"the configuration file {self.path} has {_COPIES} copies beside it: remove some"
        )


def profile_toml(profile: str, settings: Mapping[str, Any]) -> str:
    """The tables of a profile in TOML, under its name, as they can be put into a file."""
    given = Sealed(settings)
    del settings
    document = _document(Sealed(""))
    _put(document.open(), profile, given)
    return document.open().text


def config_path(path: str | os.PathLike[str] | None) -> Path:
    """The absolute path of the file to be written: given, else of ``DFNS_CONFIG``, else default.

    Relative paths in the file start at its folder, also where it is a symbolic link.
    """
    return (asked_path(path) or default_path()).absolute()


def _resolved(path: Path) -> Path:
    try:
        return path.resolve()
    except (OSError, RuntimeError, ValueError) as error:  # links in a circle, a NUL character
        raise ConfigurationError(
            f"the path of the configuration file, {os.fspath(path)!r}, leads nowhere: {error}"
        ) from error


def _require_regular(path: Path) -> None:
    """Refuse what a file must not be put in the place of, such as a device or a pipe."""
    with suppress(OSError):  # reading it says why
        if not stat.S_ISREG(path.lstat().st_mode):
            raise ConfigurationError(
                f"the configuration file {path} is not a regular file, and cannot be written: name "
                "another one"
            )


def _document(text: Sealed[str]) -> Sealed[TomlDocument]:
    try:
        from dfns_signers.config.toml_editing import TomlDocument  # noqa: PLC0415  # of an extra
    except ImportError as error:
        raise ConfigurationError(
            'the configuration file cannot be written without tomlkit: pip install "dfns-signers'
            '[cli]"'
        ) from error
    return Sealed(TomlDocument(text.open()))


def _put(document: TomlDocument, profile: str, settings: Sealed[Mapping[str, Any]]) -> None:
    table = ("profiles", profile)
    for name, value in settings.open().items():
        if value is None:
            document.remove((*table, name))
        elif isinstance(value, Mapping) and list(value) not in (["env"], ["file"]):
            document.set_table((*table, name), value)
        else:
            document.set_value((*table, name), value)
    if not settings.open():
        document.begin_table(table)


def _replace_file(
    path: Path, content: Sealed[bytes], check: Callable[[], None] = lambda: None
) -> None:
    """Write a file beside another one, and put it in its place if a check passes then."""
    mode = path.stat().st_mode & 0o777 if path.exists() else 0o600
    new = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        create_private_file(new, content)
        new.chmod(mode)
        check()
        new.replace(path)
        sync_folder(path.parent)
    finally:
        new.unlink(missing_ok=True)
