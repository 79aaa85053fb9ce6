"""A signer in one line, for environments without files: ``BACKEND:?OPTION=VALUE&OPTION=VALUE``."""

from __future__ import annotations

import re
from collections.abc import Iterable
from contextlib import suppress
from typing import Any, Final
from urllib.parse import parse_qsl

from dfns_signers.errors import ConfigurationError
from dfns_signers.sealed import Sealed

EXAMPLE: Final = "aws-kms:?key_id=alias/dfns-production&region=eu-west-1"
_SHAPE: Final = re.compile(r"(?P<backend>[A-Za-z0-9_.-]+):(?:\?(?P<query>.*))?", re.DOTALL)


def parse_signer_line(text: str, origin: str) -> dict[str, Any]:
    """Read a ``[signer]`` table from one line.

    Values are percent-decoded; a ``+`` is itself. A dot in a name makes a table, so that
    ``passphrase.env=NAME`` means ``passphrase = { env = "NAME" }``. Errors name the ``origin`` of
    the line, and repeat no value.
    """
    line = Sealed(text)
    del text
    shape: Sealed[Any] = Sealed(_SHAPE.fullmatch(line.open().strip()))
    if not shape.open():
        raise ConfigurationError(f"{origin}: expected a line such as {EXAMPLE!r}")
    query = Sealed(shape.open()["query"] or "")
    return nested([("backend", shape.open()["backend"]), *_pairs(query, origin).open()], origin)


def nested(pairs: Iterable[tuple[str, str]], origin: str) -> dict[str, Any]:
    """A table from names and values; a dot in a name makes a table within it."""
    given = Sealed(pairs)
    del pairs
    table: Sealed[dict[str, Any]] = Sealed({})
    for name, value in ((name, Sealed(value)) for name, value in given.open()):
        _put(table, name, value, origin)
    return table.open()


def _pairs(query: Sealed[str], origin: str) -> Sealed[list[tuple[str, str]]]:
    if not query.open():
        return Sealed([])
    # A plus is itself, not a space as in forms: base64 values have it, and spaces are rare.
    literal = Sealed(query.open().replace("+", "%2B"))
    with suppress(ValueError):
        return Sealed(
            parse_qsl(literal.open(), keep_blank_values=True, strict_parsing=True, errors="strict")
        )
    # Outside of the block: the error, which would be the context of this one, has the line.
    raise ConfigurationError(
        f"{origin}: expected OPTION=VALUE pairs with '&' between them, such as {EXAMPLE!r}"
    )


def _put(table: Sealed[dict[str, Any]], name: str, value: Sealed[str], origin: str) -> None:
    *parents, last = name.split(".")
    if not (last and all(parents)):
        raise ConfigurationError(f"{origin}: {name!r} is not the name of an option")
    for parent in parents:
        table = Sealed(table.open().setdefault(parent, {}))
        if not isinstance(table.open(), dict):
            raise ConfigurationError(f"{origin}: {name!r} is set both as a value and as a table")
    if last in table.open():
        raise ConfigurationError(f"{origin}: {name!r} is set twice")
    table.open()[last] = value.open()
