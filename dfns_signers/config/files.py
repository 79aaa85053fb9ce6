"""The configuration file: where it is, and what profiles it has."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from dfns_signers.config.near_miss import did_you_mean
from dfns_signers.errors import ConfigurationError

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

CONFIG_VARIABLE: Final = "DFNS_CONFIG"
PROFILE_VARIABLE: Final = "DFNS_PROFILE"
_TOP_LEVEL: Final = ("default_profile", "profiles")


@dataclass(frozen=True, slots=True)
class ConfigFile:
    """A configuration file that was read.

    Attributes:
        path: where it is; relative paths in it start at its folder.
        mode: its ``st_mode``, to warn if others can read secrets in it.
    """

    path: Path
    mode: int
    default_profile: str | None
    profiles: Mapping[str, Mapping[str, Any]] = field(repr=False)


def default_path() -> Path:
    """``$XDG_CONFIG_HOME/dfns-signers/config.toml``, else below ``~/.config``.

    The working directory is not searched: a file in a folder that somebody else wrote could send
    the token to another address.
    """
    base = os.environ.get("XDG_CONFIG_HOME") or Path("~/.config").expanduser()
    return Path(base) / "dfns-signers" / "config.toml"


def find_file(path: str | os.PathLike[str] | None) -> ConfigFile | None:
    """Read the file that was asked for, or the default one if there is one.

    Args:
        path: as an argument gives it; else the environment variable ``DFNS_CONFIG`` counts.

    Raises:
        ConfigurationError: a file that was asked for is missing, or any file is unusable.
    """
    asked = path if path is not None else os.environ.get(CONFIG_VARIABLE)
    if asked is not None:
        if not os.fspath(asked):
            raise ConfigurationError(
                f"the path of the configuration file is empty; unset {CONFIG_VARIABLE}"
            )
        return read_file(Path(asked).expanduser())
    default = default_path()
    return read_file(default) if default.exists() else None


def read_file(path: Path) -> ConfigFile:
    """Read one file.

    Raises:
        ConfigurationError: it is missing, unreadable, no TOML, or not of our shape.
    """
    content = _parse(path)
    for key in content:
        if key not in _TOP_LEVEL:
            hint = did_you_mean(key, _TOP_LEVEL)
            raise ConfigurationError(f"configuration file {path}: unknown key {key!r}{hint}")
    profiles = content.get("profiles", {})
    if not isinstance(profiles, dict) or not all(isinstance(p, dict) for p in profiles.values()):
        raise ConfigurationError(
            f"configuration file {path}, key 'profiles': expected tables such as "
            "[profiles.production]"
        )
    default = content.get("default_profile")
    if default is not None and not isinstance(default, str):
        raise ConfigurationError(
            f"configuration file {path}, key 'default_profile': expected the name of a profile"
        )
    return ConfigFile(path, path.stat().st_mode, default, profiles)


def choose_profile(file: ConfigFile | None, asked: str | None) -> str | None:
    """The name of the profile to use; None where there is no file to have one.

    Raises:
        ConfigurationError: it does not exist, or cannot be told.
    """
    name = asked if asked is not None else os.environ.get(PROFILE_VARIABLE)
    if file is None:
        if name is not None:
            raise ConfigurationError(
                f"there is no configuration file to have a profile {name!r}: write "
                f"{default_path()}, or name one with --config or {CONFIG_VARIABLE}"
            )
        return None
    if name is None:
        name = file.default_profile
    known = ", ".join(sorted(file.profiles)) or "none"
    if name is None:
        raise ConfigurationError(
            f"configuration file {file.path}: no profile was chosen and there is no "
            f"'default_profile'; profiles are: {known}"
        )
    if name not in file.profiles:
        hint = did_you_mean(name, file.profiles)
        raise ConfigurationError(
            f"configuration file {file.path}: there is no profile {name!r}{hint}; profiles are: "
            f"{known}"
        )
    return name


def _parse(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as stream:
            return tomllib.load(stream)
    except FileNotFoundError as error:
        raise ConfigurationError(f"there is no configuration file {path}") from error
    except OSError as error:
        raise ConfigurationError(
            f"the configuration file {path} cannot be read: {error.strerror}"
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"configuration file {path} is no TOML: {error}") from error
