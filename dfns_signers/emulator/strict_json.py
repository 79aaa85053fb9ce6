"""JSON as the emulator reads and compares it."""

from __future__ import annotations

import json
from typing import Any


def parse(data: bytes) -> Any:
    """Parse UTF-8 JSON that can mean one thing only.

    Raises:
        ValueError: not UTF-8, not JSON, a member name twice in one object, a number that is not
            finite, or text that is not Unicode.
    """
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        msg = f"not UTF-8: {error.reason} at byte {error.start}"
        raise ValueError(msg) from None
    try:
        value = json.loads(text, object_pairs_hook=_members)
        # What cannot be written again is NaN, an overflow or half of a surrogate pair.
        json.dumps(value, ensure_ascii=False, allow_nan=False).encode("utf-8")
    except RecursionError:
        msg = "nested too deeply"
        raise ValueError(msg) from None
    return value


def canonical(value: Any) -> str:
    """Text that is equal for equal JSON values: ``true``, ``1`` and ``1.0`` all differ."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


def kind_of(value: Any) -> str:
    """The JSON name of a parsed value's type, for messages."""
    return {
        dict: "an object",
        list: "an array",
        str: "a string",
        int: "a number",
        float: "a number",
        bool: "a boolean",
    }.get(type(value), "null")


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        msg = f'the member "{twice[:100]}" occurs twice in one object'
        raise ValueError(msg)
    return members
