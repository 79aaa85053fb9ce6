"""The parameters of a query, where every server reads the same."""

from __future__ import annotations

import re
from typing import Final

_PARAMETER: Final = re.compile(r"([A-Za-z0-9_.~-]+)(?:=[^;]*)?")


def query_names(query: str) -> frozenset[str] | None:
    """The names of the parameters of a query.

    Args:
        query: percent-encoded, without its question mark; ``""`` for none.

    Returns:
        None for a query that servers read differently: a parameter without a name or given twice,
        a percent-encoded name, a semicolon.
    """
    if not query:
        return frozenset()
    found = [_PARAMETER.fullmatch(part) for part in query.split("&")]
    names = [match[1] for match in found if match]
    if len(names) < len(found) or len({*names}) < len(names):
        return None
    return frozenset(names)
