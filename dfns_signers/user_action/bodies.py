"""JSON bodies: assembled of optional members, and serialised once, as announced and as sent."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from dfns_signers.errors import RequestError


def members(extra: Mapping[str, Any] | None, **named: Any) -> dict[str, Any]:
    """The members that are given, and further ones by their wire names, none of them both ways."""
    given = {name: value for name, value in named.items() if value is not None}
    twice = given.keys() & (extra or {}).keys()
    if twice:
        raise RequestError(f"given twice, by argument and in 'extra': {', '.join(sorted(twice))}")
    return {**given, **(extra or {})}


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
