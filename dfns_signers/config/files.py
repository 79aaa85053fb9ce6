"""The configuration file: where it is, and what profiles it has."""

from __future__ import annotations

import os
import sys
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from dfns_signers.config.validation import toml_type
from dfns_signers.errors import ConfigurationError
from dfns_signers.near_miss import did_you_mean
from dfns_signers.private_files import is_exposed, read_private_file, reason_of
from dfns_signers.sealed import Sealed

CONFIG_VARIABLE: Final = "DFNS_CONFIG"
PROFILE_VARIABLE: Final = "DFNS_PROFILE"
_TOP_LEVEL: Final = ("default_profile", "gateway", "profiles")


@dataclass(frozen=True, slots=True)
class ConfigFile:
    """A configuration file that was read.

    Attributes:
        path: where it is; relative paths in it start at its folder.
        is_exposed: whether other users can read it.
        profiles: the table of each profile, by its name.
        gateway: the table ``[gateway]``, which only the gateway checks; empty if there is none.
    """

    path: Path
    is_exposed: bool
    default_profile: str | None
    profiles: Mapping[str, Sealed[Mapping[str, Any]]]
    gateway: Sealed[Mapping[str, Any]] = field(default_factory=lambda: Sealed({}))


def default_path() -> Path:
    """``$XDG_CONFIG_HOME/dfns-signers/config.toml``, else below ``~/.config``.

    The working directory is not searched: a file in a folder that somebody else wrote could send
    the token to another address.
    """
    # By its specification, XDG_CONFIG_HOME does not count unless it is absolute.
    base = Path(os.environ.get("XDG_CONFIG_HOME", ""))
    return (base if base.is_absolute() else expanded("~/.config")) / "dfns-signers" / "config.toml"


def find_file(path: str | os.PathLike[str] | None) -> ConfigFile | None:
    """Read the file that was asked for, or the default one if there is one."""
    asked = asked_path(path)
    if asked is not None:
        return read_file(asked)
    default = default_path()
    return read_file(default) if _is_there(default) else None


def asked_path(path: str | os.PathLike[str] | None) -> Path | None:
    """The file that was asked for: ``path``, else what ``DFNS_CONFIG`` names; None for neither.

    Raises:
        ConfigurationError: it is empty, or not a path.
    """
    if path is not None and not isinstance(path, (str, os.PathLike)):
        raise ConfigurationError(
            f"argument 'config': expected the path of a file, found {toml_type(path)}"
        )
    asked = path if path is not None else os.environ.get(CONFIG_VARIABLE)
    if asked is None:
        return None
    if not os.fspath(asked):
        raise ConfigurationError(
            f"the path of the configuration file is empty; unset {CONFIG_VARIABLE}"
        )
    return expanded(asked)


def read_file(path: Path) -> ConfigFile:
    """Read one file.

    Raises:
        ConfigurationError: it is missing, unreadable, not of our shape, or others can write it.
    """
    text, exposed = _read(path)
    content = parse(text, path)
    for key in content.open():
        if key not in _TOP_LEVEL:
            hint = did_you_mean(key, _TOP_LEVEL)
            raise ConfigurationError(
                f"configuration file {path}: unknown key {key!r}{hint}. Known keys: "
                f"{', '.join(_TOP_LEVEL)}; settings belong into a table such as "
                "[profiles.production]"
            )
    tables = Sealed(content.open().get("profiles", {}))
    _require(path, "profiles", tables, dict, "tables such as [profiles.production]")
    profiles = {name: Sealed(table) for name, table in tables.open().items()}
    for name, profile in profiles.items():
        _require(path, f"profiles.{name}", profile, dict, f"a table, [profiles.{name}]")
    default = Sealed(content.open().get("default_profile"))
    if default.open() is not None:
        _require(path, "default_profile", default, str, "the name of a profile")
    gateway = Sealed(content.open().get("gateway", {}))
    _require(path, "gateway", gateway, dict, "a table, [gateway]")
    return ConfigFile(path, exposed, default.open(), profiles, gateway)


def choose_profile(file: ConfigFile | None, asked: str | None) -> str | None:
    """The name of the profile to use, which must exist; None where there is no file to have one."""
    if asked is not None and not isinstance(asked, str):
        raise ConfigurationError(
            f"argument 'profile': expected the name of a profile, found {toml_type(asked)}"
        )
    name, source = asked, ""
    if name is None:
        name, source = os.environ.get(PROFILE_VARIABLE), f" (from {PROFILE_VARIABLE})"
    if name == "":
        raise ConfigurationError(f"the name of the profile is empty{source}: give one, or none")
    if file is None:
        if name is not None:
            raise ConfigurationError(
                f"there is no configuration file to have a profile {name!r}{source}: write "
                f"{default_path()}, or name one with --config or {CONFIG_VARIABLE}"
            )
        return None
    if name is None:
        name, source = file.default_profile, " (from 'default_profile')"
    if name is None:
        known = ", ".join(sorted(file.profiles)) or "none"
        raise ConfigurationError(
            f"configuration file {file.path}: no profile was chosen and there is no "
            f"'default_profile'; name one with --profile or {PROFILE_VARIABLE}; profiles are: "
            f"{known}"
        )
    if name not in file.profiles:
        raise unknown_profile(f"configuration file {file.path}", name, file.profiles, source)
    return name


def unknown_profile(
    place: str, name: str, known: Collection[str], source: str = ""
) -> ConfigurationError:
    """The error of a name that no profile of a file has, with the names that there are."""
    return ConfigurationError(
        f"{place}: there is no profile {name!r}{source}{did_you_mean(name, known)}; profiles are: "
        f"{', '.join(sorted(known)) or 'none'}"
    )


def read_text(path: Path) -> Sealed[bytes]:
    """The content of a file that nobody else can write; ConfigurationError as of ``read_file``."""
    return _read(path)[0]


def _read(path: Path) -> tuple[Sealed[bytes], bool]:
    try:
        content, status = read_private_file(path, "the configuration file", ConfigurationError)
    except FileNotFoundError as error:
        raise ConfigurationError(f"there is no configuration file {path}") from error
    except (OSError, ValueError) as error:
        raise ConfigurationError(
            f"the configuration file {path} cannot be read: {reason_of(error)}"
        ) from error
    return content, is_exposed(status)


def parse(content: Sealed[bytes], path: Path) -> Sealed[dict[str, Any]]:
    """The tables of a file; ConfigurationError if it is not valid TOML."""
    # Imported here, for the environment alone may configure a signer.
    if sys.version_info >= (3, 11):
        import tomllib  # noqa: PLC0415
    else:
        import tomli as tomllib  # noqa: PLC0415
    try:
        # Editors on Windows begin a file with a byte order mark.
        return Sealed(tomllib.loads(content.open().decode("utf-8-sig")))
    # ValueError: also bytes that are not UTF-8, and integers of thousands of digits. None is
    # chained: the errors and frames of the parser hold the content.
    except ValueError as error:
        problem = f"is not valid TOML: {error}"
    except RecursionError:
        problem = "is nested too deeply"
    raise ConfigurationError(f"configuration file {path} {problem}")


def _require(path: Path, key: str, value: Sealed[Any], kind: type, expected: str) -> None:
    if not isinstance(value.open(), kind):
        found = toml_type(value.open())
        raise ConfigurationError(
            f"configuration file {path}, key {key!r}: expected {expected}, found {found}"
        )


def expanded(path: str | os.PathLike[str]) -> Path:
    """A path with the home of a user in place of ``~``."""
    # Path.expanduser raises RuntimeError for the home of an unknown user.
    return Path(os.path.expanduser(path))  # noqa: PTH111


def _is_there(path: Path) -> bool:
    """Whether to read a file: also one that cannot be read, or a link that leads nowhere."""
    try:
        path.lstat()
    except OSError as error:
        return not isinstance(error, (FileNotFoundError, NotADirectoryError))
    return True
