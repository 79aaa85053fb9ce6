"""Checks of the members of request bodies and of query parameters, written as tables.

Unknown members are refused everywhere, as ``additionalProperties: false`` of the Dfns OpenAPI
file does for the signing endpoints.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from dfns_signers.emulator.refusals import Refusal, bad_request, quoted
from dfns_signers.emulator.strict_json import kind_of

Check = Callable[[str, Any], None]
"""Refuses a value; the first argument names the member in messages."""


def text(
    minimum: int = 1, maximum: int | None = None, *, pattern: str = "", expected: str = ""
) -> Check:
    """A string of a length, and of a pattern if there is one."""
    length = f"{minimum} to {maximum}" if maximum else f"at least {minimum}"
    wanted = expected or f"a string of {length} characters"
    compiled = re.compile(pattern, re.ASCII) if pattern else None

    def check(where: str, value: Any) -> None:
        if not isinstance(value, str):
            raise _wrong(where, wanted, kind_of(value))
        too_long = maximum is not None and len(value) > maximum
        if len(value) < minimum or too_long:
            raise _wrong(where, wanted, f"{len(value)} characters long")
        if compiled and not compiled.fullmatch(value):
            raise _wrong(where, wanted, quoted(value))

    return check


def one_of(*choices: str) -> Check:
    """One of a few strings."""
    wanted = " or ".join(f'"{choice}"' for choice in choices)

    def check(where: str, value: Any) -> None:
        if not isinstance(value, str):
            raise _wrong(where, wanted, kind_of(value))
        if value not in choices:
            raise _wrong(where, wanted, quoted(value))

    return check


def flag(where: str, value: Any) -> None:
    """True or false."""
    if not isinstance(value, bool):
        raise _wrong(where, "true or false", kind_of(value))


def integer(minimum: int, maximum: int) -> Check:
    """An integer within bounds."""
    wanted = f"an integer from {minimum} to {maximum}"

    def check(where: str, value: Any) -> None:
        if type(value) is not int:
            raise _wrong(where, wanted, kind_of(value))
        if not minimum <= value <= maximum:
            raise _wrong(where, wanted, "outside of that")

    return check


def any_object(where: str, value: Any) -> None:
    """An object, whatever is in it."""
    if not isinstance(value, dict):
        raise _wrong(where, "an object", kind_of(value))


def list_of(item: Check) -> Check:
    """An array of at least one item."""

    def check(where: str, value: Any) -> None:
        if not isinstance(value, list) or not value:
            found = "empty" if value == [] else kind_of(value)
            raise _wrong(where, "an array with at least one item", found)
        for index, element in enumerate(value):
            item(f"{where}[{index}]", element)

    return check


def members(
    required: Mapping[str, Check] | None = None, optional: Mapping[str, Check] | None = None
) -> Check:
    """An object with these members and no others."""
    must = dict(required or {})
    known = {**must, **(optional or {})}

    def check(where: str, value: Any) -> None:
        any_object(where, value)
        for name in value:
            if name not in known:
                raise _unknown(where, name, sorted(known))
        for name in must:
            if name not in value:
                raise _missing(where, name)
        for name, element in value.items():
            known[name](_joined(where, name), element)

    return check


def variants(tag: str, checks: Mapping[str, Check]) -> Check:
    """An object whose member ``tag`` decides which check the other members must pass."""
    choice = one_of(*checks)

    def check(where: str, value: Any) -> None:
        any_object(where, value)
        if tag not in value:
            raise _missing(where, tag)
        choice(_joined(where, tag), value[tag])
        rest = {name: element for name, element in value.items() if name != tag}
        checks[value[tag]](where, rest)

    return check


def _joined(where: str, name: str) -> str:
    return f"{where}.{name}" if where else name


def _wrong(where: str, expected: str, found: str) -> Refusal:
    name = where or "body"
    return bad_request(
        "field.value",
        f"{name} must be {expected}, and is {found}.",
        field=name,
        expected=expected,
        found=found,
    )


def _missing(where: str, name: str) -> Refusal:
    field = _joined(where, name)
    return bad_request("field.missing", f"{field} is required, and is missing.", field=field)


def _unknown(where: str, name: str, known: list[str]) -> Refusal:
    field = _joined(where, name)[:100]
    listed = ", ".join(known) or "none"
    return bad_request(
        "field.unknown",
        f"{field} is not a member of this request. Members it may have: {listed}.",
        field=field,
        known=known,
    )
