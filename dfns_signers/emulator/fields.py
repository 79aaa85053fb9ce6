"""Checks of the members of request bodies and of query parameters, written as tables.

Unknown members are refused everywhere, as ``additionalProperties: false`` of the Dfns OpenAPI
file does for the signing endpoints.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, TypeAlias

from dfns_signers.emulator.messages import QUOTED_CHARACTERS, Refusal, bad_request, quoted
from dfns_signers.emulator.wire import kind_of
from dfns_signers.near_miss import did_you_mean

Check: TypeAlias = Callable[[str, Any], None]
"""Refuses a value; the first argument names the member in messages."""


def _expecting(wanted: str, fault: Callable[[Any], str]) -> Check:
    """The check of a value by what is found instead of what is wanted; "" if nothing is."""

    def check(where: str, value: Any) -> None:
        found = fault(value)
        if found:
            raise _wrong(where, wanted, found)

    return check


def _of(kind: type, wanted: str) -> Check:
    return _expecting(wanted, lambda value: "" if isinstance(value, kind) else kind_of(value))


any_object: Final = _of(dict, "an object")
boolean: Final = _of(bool, "true or false")


def string(
    minimum: int = 1, maximum: int | None = None, *, pattern: str = "", expected: str = ""
) -> Check:
    """A string of a length, and of a pattern if there is one."""
    length = f"{minimum} to {maximum}" if maximum else f"at least {minimum}"
    compiled = re.compile(pattern) if pattern else None

    def fault(value: Any) -> str:
        if not isinstance(value, str):
            return kind_of(value)
        if len(value) < minimum or (maximum is not None and len(value) > maximum):
            return f"{len(value)} characters long"
        return quoted(value) if compiled and not compiled.fullmatch(value) else ""

    return _expecting(expected or f"a string of {length} characters", fault)


def one_of(*choices: str) -> Check:
    """One of a few strings."""

    def fault(value: Any) -> str:
        if not isinstance(value, str):
            return kind_of(value)
        return "" if value in choices else quoted(value)

    return _expecting(" or ".join(f'"{choice}"' for choice in choices), fault)


def known(names: Iterable[str], expected: str) -> Check:
    """One of more strings than a message can list; it names the one that was probably meant."""
    choices = frozenset(names)

    def fault(value: Any) -> str:
        if not isinstance(value, str):
            return kind_of(value)
        if value in choices:
            return ""
        hint = did_you_mean(value, choices) if len(value) <= QUOTED_CHARACTERS else ""
        return quoted(value) + hint

    return _expecting(expected, fault)


def integer(minimum: int, maximum: int) -> Check:
    """An integer within bounds."""

    def fault(value: Any) -> str:
        if type(value) is not int:
            return kind_of(value)
        return "" if minimum <= value <= maximum else "outside of that"

    return _expecting(f"an integer from {minimum} to {maximum}", fault)


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
