"""Assemble request bodies from optional members."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dfns_signers.errors import RequestError


def members(extra: Mapping[str, Any] | None, **named: Any) -> dict[str, Any]:
    """The members that are given, and further ones by their wire names.

    Raises:
        RequestError: a member is given both ways.
    """
    given = {name: value for name, value in named.items() if value is not None}
    twice = given.keys() & (extra or {}).keys()
    if twice:
        raise RequestError(f"given twice, by argument and in 'extra': {', '.join(sorted(twice))}")
    return {**given, **(extra or {})}
