"""Vault's own environment variables, and OpenBao's."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from typing import Final, TypeVar

T = TypeVar("T")

_PREFIXES: Final = ("BAO_", "VAULT_")
"""In the order in which OpenBao's own command line looks for them."""

_NUMBER: Final = r"\d+(?:\.\d+)?"
_PART: Final = rf"({_NUMBER})(ms|s|m|h)"
_SECONDS: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
_DAY: Final = 86_400
_MAX_RETRIES: Final = 19


def first_set(*names: str) -> str | None:
    """The first variable that is set, by its full name: ``BAO_<name>``, then ``VAULT_<name>``."""
    candidates = (prefix + name for name in names for prefix in _PREFIXES)
    return next((candidate for candidate in candidates if os.environ.get(candidate)), None)


def variable(read: Callable[[str], T], *names: str) -> T | None:
    """What is read from the variable that ``first_set`` finds; None where there is none.

    Raises:
        ValueError: ``read`` refuses its value; the message names the variable.
    """
    found = first_set(*names)
    try:
        return read(os.environ[found]) if found else None
    except ValueError as error:
        raise ValueError(f"the environment variable {found} is wrong: {error}") from None


def seconds(text: str) -> float:
    """A duration as Go writes it, such as ``1m30s``; a bare number is seconds.

    Raises:
        ValueError: it is not such a duration, or not from 1 ms to 24 hours.
    """
    duration = f"{text}s" if re.fullmatch(_NUMBER, text) else text
    is_duration = re.fullmatch(rf"(?:{_PART})+", duration)
    number = sum(float(count) * _SECONDS[unit] for count, unit in re.findall(_PART, duration))
    if not is_duration or not _SECONDS["ms"] <= number <= _DAY:
        raise ValueError("expected a duration such as '30s' or '1m30s', from 1ms to 24h")
    return number


def attempts(retries: str) -> int:
    """How often a request is sent that may be repeated so many times.

    Raises:
        ValueError: it is not such a number, or too large.
    """
    if not retries.isdecimal() or int(retries) > _MAX_RETRIES:
        raise ValueError(f"expected an integer from 0 to {_MAX_RETRIES}")
    return int(retries) + 1
