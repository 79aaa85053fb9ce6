"""A signer in one line, for environments without files: ``BACKEND:?OPTION=VALUE&OPTION=VALUE``."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, Final
from urllib.parse import parse_qsl

from dfns_signers.errors import ConfigurationError

EXAMPLE: Final = "aws-kms:?key_id=alias/dfns-production&region=eu-west-1"
_SHAPE: Final = re.compile(r"(?P<backend>[A-Za-z0-9_.-]+):(?:\?(?P<query>.*))?", re.DOTALL)


def parse_signer_line(text: str, origin: str) -> dict[str, Any]:
    """Read a ``[signer]`` table from one line.

    Values are percent-decoded; a ``+`` is itself. A dot in a name makes a table, so that
    ``passphrase.env=NAME`` means ``passphrase = { env = "NAME" }``. Errors name the ``origin`` of
    the line, and repeat no value.
    """
    shape = _SHAPE.fullmatch(text.strip())
    if shape is None:
        raise ConfigurationError(f"{origin}: expected a line such as {EXAMPLE!r}")
    pairs = [("backend", shape["backend"]), *_pairs(shape["query"] or "", origin)]
    return nested(pairs, origin)


def nested(pairs: Iterable[tuple[str, str]], origin: str) -> dict[str, Any]:
    """A table from names and values; a dot in a name makes a table within it."""
    table: dict[str, Any] = {}
    for name, value in pairs:
        _put(table, name, value, origin)
    return table


def _pairs(query: str, origin: str) -> list[tuple[str, str]]:
    if not query:
        return []
    try:
        # A plus is itself, not a space as in forms: base64 values have it, and spaces are rare.
        query = query.replace("+", "%2B")
        return parse_qsl(query, keep_blank_values=True, strict_parsing=True, errors="strict")
    except ValueError:
        raise ConfigurationError(
            f"{origin}: expected OPTION=VALUE pairs with '&' between them, such as {EXAMPLE!r}"
        ) from None


def _put(table: dict[str, Any], name: str, value: str, origin: str) -> None:
    *parents, last = name.split(".")
    if not (last and all(parents)):
        raise ConfigurationError(f"{origin}: {name!r} is not the name of an option")
    for parent in parents:
        table = table.setdefault(parent, {})
        if not isinstance(table, dict):
            raise ConfigurationError(f"{origin}: {name!r} is set both as a value and as a table")
    if last in table:
        raise ConfigurationError(f"{origin}: {name!r} is set twice")
    table[last] = value
