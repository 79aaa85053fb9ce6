"""Vault's own environment variables, and OpenBao's."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Final

from dfns_signers.secrets import Secret

_PREFIXES: Final = ("BAO_", "VAULT_")
"""In the order in which OpenBao's own command line looks for them."""

_PART: Final = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h)")
_SECONDS: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}


def first_variable(*names: str) -> str | None:
    """The value of the first variable that is set: ``BAO_<name>``, then ``VAULT_<name>``."""
    found = _first_set(*names)
    return os.environ[found] if found else None


def path_variable(*names: str) -> str | None:
    """Like ``first_variable`` for a path; a relative one starts at the working directory."""
    value = first_variable(*names)
    return os.path.abspath(value) if value else None  # noqa: PTH100  # as a text, like the others


def number_variable(
    name: str, read: Callable[[str], float], least: float, most: float
) -> float | None:
    """Like ``first_variable`` for a number.

    Raises:
        ValueError: it is none, or out of its range; the message names the variable.
    """
    found = _first_set(name)
    if not found:
        return None
    try:
        number = read(os.environ[found])
    except ValueError as error:
        raise ValueError(f"the environment variable {found} is no number: {error}") from None
    if not least <= number <= most:
        raise ValueError(
            f"the environment variable {found} is out of range: expected {least:g} to {most:g}"
        )
    return number


def environment_token() -> Secret | None:
    """The token where Vault's own command line looks: the environment, then its token file."""
    found = _first_set("TOKEN")
    if found:
        return Secret.from_env(found)
    # Path.home raises RuntimeError where there is no home.
    file = Path(os.path.expanduser("~/.vault-token"))  # noqa: PTH111
    return Secret.from_file(file) if file.is_file() else None


def seconds(text: str) -> float:
    """A duration as Go writes it, such as ``1m30s``; a bare number is seconds.

    Raises:
        ValueError: it is no such duration.
    """
    if re.fullmatch(r"\d+(\.\d+)?", text):
        return float(text)
    parts = _PART.findall(text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        raise ValueError("expected a duration such as '30s' or '1m30s'")
    return sum(float(number) * _SECONDS[unit] for number, unit in parts)


def verification_is_switched_off() -> bool:
    """Whether ``VAULT_SKIP_VERIFY`` asks for TLS without verification."""
    return (first_variable("SKIP_VERIFY") or "").lower() in {"1", "t", "true"}


def _first_set(*names: str) -> str | None:
    candidates = (prefix + name for name in names for prefix in _PREFIXES)
    return next((candidate for candidate in candidates if os.environ.get(candidate)), None)
