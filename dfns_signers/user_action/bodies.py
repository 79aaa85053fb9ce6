"""JSON bodies: assembled of optional members, serialised once, and read in one meaning only."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from typing import Any, Final, NoReturn

from dfns_signers.arguments import by_name
from dfns_signers.bounded_json import bounded_json
from dfns_signers.errors import RequestError

JSON_TYPE: Final = re.compile(
    r'application/json(?:[ \t]*;[ \t]*charset="?utf-8"?)?', re.IGNORECASE | re.ASCII
)
"""The ``Content-Type`` of a body that nobody decodes in another way."""

_QUOTED_CHARACTERS: Final = 100


def members(extra: Mapping[str, Any] | None, **named: Any) -> dict[str, Any]:
    """The members that are given, and further ones by their wire names, none of them both ways."""
    given = {name: value for name, value in named.items() if value is not None}
    further = by_name("extra", extra)
    twice = given.keys() & further.keys()
    if twice:
        raise RequestError(f"given twice, by argument and in 'extra': {', '.join(sorted(twice))}")
    return {**given, **further}


def to_json_bytes(value: Any) -> bytes:
    """Compact JSON in UTF-8.

    Raises:
        RequestError: not JSON: NaN, infinity, a lone surrogate, a cycle, or an object of a type
            that JSON does not have, or a member name that is not a string.
    """
    try:
        _require_string_keys(value)
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode(
            "utf-8"
        )
    except (TypeError, ValueError, RecursionError) as error:
        raise RequestError(f"the body cannot be sent as JSON: {error}") from error


def strict_json(text: str | bytes) -> Any:
    """Parse JSON that every reader understands alike: what RFC 8259 leaves open is refused.

    A body is read by hooks, by the API, and by what is between; a member given twice would be
    one value to the first and the other to the second.

    Args:
        text: JSON as a string, or as bytes in UTF-8 without a byte order mark.

    Raises:
        ValueError: not UTF-8 or not JSON; a member name twice in one object; NaN or a number
            that is not finite as a double; a lone surrogate; more than 100 levels. The
            message says what, and quotes 100 characters of the input at most.
    """
    if isinstance(text, bytes):
        try:
            text = text.decode("utf-8")
        except UnicodeDecodeError as error:
            raise ValueError(f"not UTF-8: {error.reason} at byte {error.start}") from None
    value = bounded_json(text, object_pairs_hook=_unique_members, parse_constant=_refuse_constant)
    _require_plain(value)
    return value


def _unique_members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise ValueError(f"the member {name[:_QUOTED_CHARACTERS]!r} is given twice")
        found[name] = value
    return found


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a JSON value")


def _require_plain(value: Any) -> None:
    if isinstance(value, str):
        try:
            value.encode("utf-8")
        except UnicodeEncodeError as error:
            raise ValueError(
                f"a string has a lone surrogate, \\u{ord(value[error.start]):04x}"
            ) from None
    elif isinstance(value, float):
        if not math.isfinite(value):
            raise ValueError("a number is too large")
    elif isinstance(value, (dict, list)):
        for member in (*value, *value.values()) if isinstance(value, dict) else value:
            _require_plain(member)


def _require_string_keys(value: Any) -> None:
    # json would make strings of them, and so {1: …, "1": …} two members of one name.
    if isinstance(value, dict):
        for name, member in value.items():
            if not isinstance(name, str):
                raise RequestError(
                    f"the body cannot be sent as JSON: a member has the name {name!r}, which must "
                    f"be a string, not {type(name).__name__}"
                )
            _require_string_keys(member)
    elif isinstance(value, (list, tuple)):
        for member in value:
            _require_string_keys(member)
