"""Vault's own environment variables, and OpenBao's."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from typing import Final

_PREFIXES: Final = ("BAO_", "VAULT_")
"""In the order in which OpenBao's own command line looks for them."""

_PART: Final = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h)")
_SECONDS: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}


def first_set(*names: str) -> str | None:
    """The first variable that is set, by its full name: ``BAO_<name>``, then ``VAULT_<name>``."""
    candidates = (prefix + name for name in names for prefix in _PREFIXES)
    return next((candidate for candidate in candidates if os.environ.get(candidate)), None)


def first_variable(*names: str) -> str | None:
    """The value of the variable that ``first_set`` finds."""
    found = first_set(*names)
    return os.environ[found] if found else None


def path_variable(*names: str) -> str | None:
    """Like ``first_variable`` for a path; a relative one starts at the working directory."""
    value = first_variable(*names)
    return os.path.abspath(value) if value else None  # noqa: PTH100  # as a string, like the others


def number_variable(
    name: str, read: Callable[[str], float], least: float, most: float
) -> float | None:
    """Like ``first_variable`` for a number.

    Raises:
        ValueError: it is not a number, or out of its range; the message names the variable.
    """
    found = first_set(name)
    if not found:
        return None
    try:
        number = read(os.environ[found])
    except ValueError as error:
        raise ValueError(f"the environment variable {found} is not a number: {error}") from None
    if not least <= number <= most:
        raise ValueError(
            f"the environment variable {found} is out of range: expected {least:g} to {most:g}"
        )
    return number


def seconds(text: str) -> float:
    """A duration as Go writes it, such as ``1m30s``; a bare number is seconds.

    Raises:
        ValueError: it is not such a duration.
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
