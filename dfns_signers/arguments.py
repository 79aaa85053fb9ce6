"""Values that callers gave: as errors show them, and as mappings must be."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from dfns_signers.errors import RequestError

_SHOWN: Final = 100


def shown(value: object) -> str:
    """The first 100 characters of the ``repr`` of a value in ASCII; its type where that fails."""
    try:
        return ascii(value)[:_SHOWN]
    except ValueError:  # an integer of more digits than Python writes
        return f"a value of type {type(value).__name__}"


def by_name(argument: str, value: object) -> dict[str, Any]:
    """A mapping whose keys are strings, as a dict; none given is an empty one.

    Raises:
        RequestError: something else; it names the argument.
    """
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise RequestError(
            f"{argument!r} must be a mapping such as a dict, not {type(value).__name__}"
        )
    for name in value:
        if not isinstance(name, str):
            raise RequestError(
                f"the names in {argument!r} must be strings, not {type(name).__name__}"
            )
    return dict(value)
