"""Checks of the members of request bodies and of query parameters, written as tables.

Unknown members are refused everywhere, as ``additionalProperties: false`` of the Dfns OpenAPI
file does for the signing endpoints.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any, Final, TypeAlias

from dfns_signers.emulator.requests.messages import QUOTED_CHARACTERS, Refusal, bad_request, quoted
from dfns_signers.emulator.requests.wire import kind_of, parse_date
from dfns_signers.near_miss import did_you_mean

Check: TypeAlias = Callable[[str, Any], None]
"""Refuses a value; the first argument names the member in messages."""


def _expecting(wanted: str, fault: Callable[[Any], str]) -> Check:
    """The check of a value by what is found instead of what is wanted; "" if nothing is."""

    def check(where: str, value: Any) -> None:
        found = fault(value)
        if found:
            raise _refusal(where, wanted, found)

    return check


def _of(kind: type, wanted: str) -> Check:
    return _expecting(wanted, lambda value: "" if isinstance(value, kind) else kind_of(value))


any_object: Final = _of(dict, "an object")
any_string: Final = _of(str, "a string")
boolean: Final = _of(bool, "true or false")
null: Final = _of(type(None), "null")
number: Final = _expecting(
    "a number", lambda value: "" if type(value) in {int, float} else kind_of(value)
)


def anything(_where: str, _value: Any) -> None:
    """Any value."""


def string(
    minimum: int = 1, maximum: int | None = None, *, pattern: str = "", expected: str = ""
) -> Check:
    """A string of a length, and of a pattern if there is one."""
    length = f"{minimum} to {maximum}" if maximum else f"at least {minimum}"
    wanted = f"a string of {length} characters" if minimum or maximum else "a string"
    compiled = re.compile(pattern) if pattern else None

    def fault(value: Any) -> str:
        if not isinstance(value, str):
            return kind_of(value)
        if len(value) < minimum or (maximum is not None and len(value) > maximum):
            return f"{len(value)} characters long"
        return quoted(value) if compiled and not compiled.fullmatch(value) else ""

    return _expecting(expected or wanted, fault)


def one_of(*choices: str | float | bool | None) -> Check:
    """One of a few values."""
    written = [json.dumps(choice) for choice in choices]

    def fault(value: Any) -> str:
        if isinstance(value, (dict, list)) or json.dumps(value) not in written:
            return _quoted_with_hint(value, choices) if isinstance(value, str) else kind_of(value)
        return ""

    return _expecting(" or ".join(written), fault)


def known(names: Iterable[str], expected: str) -> Check:
    """One of more strings than a message can list; it names the one that was probably meant."""
    choices = frozenset(names)

    def fault(value: Any) -> str:
        if not isinstance(value, str):
            return kind_of(value)
        return "" if value in choices else _quoted_with_hint(value, choices)

    return _expecting(expected, fault)


def _quoted_with_hint(value: str, choices: Iterable[object]) -> str:
    return quoted(value) + _hint(value, choices)


def _hint(value: str, choices: Iterable[object]) -> str:
    if len(value) > QUOTED_CHARACTERS:  # a near miss is looked for in quadratic time
        return ""
    return did_you_mean(value, [name for name in choices if isinstance(name, str)])


def integer(minimum: int, maximum: int) -> Check:
    """An integer within bounds."""

    def fault(value: Any) -> str:
        if type(value) is not int:
            return kind_of(value)
        return "" if minimum <= value <= maximum else "outside of that"

    return _expecting(f"an integer from {minimum} to {maximum}", fault)


def list_of(item: Check, *, minimum: int = 1) -> Check:
    """An array of at least so many items."""
    wanted = f"an array with at least {minimum} item" if minimum else "an array"

    def check(where: str, value: Any) -> None:
        if not isinstance(value, list) or len(value) < minimum:
            raise _refusal(where, wanted, "empty" if value == [] else kind_of(value))
        for index, element in enumerate(value):
            item(f"{where}[{index}]", element)

    return check


def comma_separated(item: Check) -> Check:
    """A query parameter of several values."""

    def check(where: str, value: Any) -> None:
        for element in value.split(","):
            item(where, element)

    return check


def members(
    required: Mapping[str, Check] | None = None,
    optional: Mapping[str, Check] | None = None,
    *,
    others: Check | None = None,
) -> Check:
    """An object with these members; ``others`` checks any other, and None refuses them."""
    must = dict(required or {})
    known = {**must, **(optional or {})}

    def check(where: str, value: Any) -> None:
        any_object(where, value)
        for name in value:
            if name not in known and others is None:
                raise _unknown(where, name, sorted(known))
        for name in must:
            if name not in value:
                raise missing(where, name)
        for name, element in value.items():
            known.get(name, others or anything)(joined(where, name), element)

    return check


def where_present(checks: Mapping[str, Check]) -> Check:
    """Checks of members that an object has; those it does not have, and null, are passed over.

    They say what a declared shape cannot, such as the length of a string.
    """

    def check(where: str, value: Any) -> None:
        for name, inner in checks.items():
            if value.get(name) is not None:
                inner(joined(where, name), value[name])

    return check


def variants(tag: str, checks: Mapping[str, Check]) -> Check:
    """An object whose member ``tag`` decides which check the other members must pass."""
    choice = one_of(*checks)

    def check(where: str, value: Any) -> None:
        any_object(where, value)
        if tag not in value:
            raise missing(where, tag)
        choice(joined(where, tag), value[tag])
        rest = {name: element for name, element in value.items() if name != tag}
        checks[value[tag]](where, rest)

    return check


def joined(where: str, name: str) -> str:
    """The name of a member in messages."""
    return f"{where}.{name}" if where else name


def date_in_query(query: Mapping[str, str], name: str) -> datetime:
    """The moment that a query parameter names; refused with 400 if it is not a date."""
    try:
        return parse_date(query[name])
    except ValueError:
        raise wrong(f"query.{name}", "a date in ISO 8601", query[name]) from None


def wrong(where: str, expected: str, value: Any) -> Refusal:
    """400 for a value that is not what is expected."""
    return _refusal(where, expected, quoted(value) if isinstance(value, str) else kind_of(value))


def _refusal(where: str, expected: str, found: str) -> Refusal:
    name = where or "body"
    return bad_request(
        "field.value",
        f"{name} must be {expected}, and is {found}.",
        field=name,
        expected=expected,
        found=found,
    )


def missing(where: str, name: str) -> Refusal:
    """400 for a member that is required."""
    field = joined(where, name)
    return bad_request("field.missing", f"{field} is required, and is missing.", field=field)


def _unknown(where: str, name: str, known: list[str]) -> Refusal:
    field = joined(where, name)[:100]
    listed = ", ".join(known) or "none"
    hint = _hint(name, known)
    return bad_request(
        "field.unknown",
        f"{field} is not a member of this request{hint}. Members it may have: {listed}.",
        field=field,
        known=known,
    )
