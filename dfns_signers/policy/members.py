"""Members of a JSON body by name; ``travelRule.kind`` in a rule is a member of a member."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from typing import Any, Final, TypeAlias

from dfns_signers.errors import ConfigurationError

Name: TypeAlias = tuple[str, ...]
"""The names from the body down to a member. A rule cannot name a member with a dot in its name."""

MISSING: Final = object()
"""The value of a member that is not there."""

_PLAIN: Final = re.compile(r"[A-Za-z0-9_.-]{1,60}")


def parse_name(text: str) -> Name:
    """The name that a rule gives with dots.

    Raises:
        ConfigurationError: a part of it is empty.
    """
    name = tuple(text.split("."))
    if not all(name):
        raise ConfigurationError(f"{text!r} is not the name of a member")
    return name


def dotted(name: Name) -> str:
    """The name as a rule gives it."""
    return ".".join(name)


def quoted(name: Name) -> str:
    """The name for a message; one that a member of the Dfns API cannot have is not repeated."""
    text = dotted(name)
    return repr(text) if _PLAIN.fullmatch(text) else "a member of another name"


def value_at(body: Mapping[str, Any], name: Name) -> Any:
    """The value of a member, or ``MISSING``."""
    value: Any = body
    for part in name:
        if not isinstance(value, dict) or part not in value:
            return MISSING
        value = value[part]
    return value


def surplus(
    body: Mapping[str, Any], admitted: AbstractSet[Name], inside: Name = ()
) -> Iterator[Name]:
    """The members that are not admitted.

    A member that is admitted by its own name may have any value. An object that is not, but that
    has an admitted member, is looked into.
    """
    for part, value in body.items():
        name = (*inside, part)
        if name in admitted:
            continue
        if isinstance(value, dict) and leads_to(name, admitted):
            yield from surplus(value, admitted, name)
        else:
            yield name


def leads_to(name: Name, admitted: AbstractSet[Name]) -> bool:
    """Whether a member is admitted, or one in it."""
    return any(one[: len(name)] == name for one in admitted)
