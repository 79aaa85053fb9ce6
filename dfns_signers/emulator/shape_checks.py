"""Checks of requests that are made from the declared shapes of an operation."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any, Final

from dfns_signers.emulator.fields import (
    Check,
    any_object,
    any_string,
    anything,
    boolean,
    comma_separated,
    joined,
    known,
    list_of,
    members,
    missing,
    null,
    number,
    one_of,
    string,
    wrong,
)
from dfns_signers.emulator.messages import Refusal
from dfns_signers.emulator.wire import kind_of
from dfns_signers.operations import Operation, Schema, choices_of, options_of, shapes_of

_LISTED_CHOICES: Final = 8
_TYPES: Final[Mapping[str, Check]] = {
    "string": any_string,
    "number": number,
    "boolean": boolean,
    "null": null,
}
_KINDS: Final = {
    "string": "a string",
    "number": "a number",
    "boolean": "a boolean",
    "null": "null",
    "object": "an object",
    "array": "an array",
}
"""The names of types in messages, as `kind_of` gives them."""
_QUERY_TYPES: Final[Mapping[str, Check]] = {
    "number": string(1, 20, pattern="[0-9]+", expected="an integer in decimal digits"),
    # The official SDK for Python writes booleans as Python does.
    "boolean": one_of("true", "false", "True", "False"),
}


@cache
def body_check(operation: Operation) -> Check:
    """The check of a parsed body; ``{}`` where the types declare none."""
    shapes = shapes_of(operation)
    if not shapes.is_declared:
        return any_object
    return members() if shapes.body is None else check_of(shapes.body)


@cache
def query_check(operation: Operation) -> Check:
    """The check of the query parameters, whose values are strings."""
    shapes = shapes_of(operation)
    if not shapes.is_declared:
        return any_object
    query = shapes.query or {}
    checks = {name: _query_check(schema) for name, schema in query.get("properties", {}).items()}
    required = query.get("required", ())
    return members(
        {name: checks[name] for name in required},
        {name: check for name, check in checks.items() if name not in required},
    )


@cache
def lists_in_query(operation: Operation) -> frozenset[str]:
    """The query parameters whose values are lists."""
    properties = (shapes_of(operation).query or {}).get("properties", {})
    return frozenset(name for name, schema in properties.items() if schema.get("type") == "array")


def check_of(schema: Schema) -> Check:
    """The check of values that must have this shape."""
    options = list(options_of(schema))
    return _check_of_one(options[0]) if len(options) == 1 else _any_of(options)


def _check_of_one(schema: Schema) -> Check:
    if "enum" in schema:
        return _choice(schema["enum"])
    match schema.get("type"):
        case "object":
            return _object(schema)
        case "array":
            return list_of(_later(schema.get("items", {})), minimum=0)
        case str(name):
            return _TYPES[name]
    return anything


def _object(schema: Schema) -> Check:
    properties = {name: _later(inner) for name, inner in schema.get("properties", {}).items()}
    required = schema.get("required", ())
    more = schema.get("additionalProperties", True)
    return members(
        {name: properties[name] for name in required},
        {name: check for name, check in properties.items() if name not in required},
        others=_later({} if more is True else more) if more is not False else None,
    )


def _later(schema: Schema) -> Check:
    """The check of a shape that is made when it is needed: shapes may contain themselves."""
    made: list[Check] = []

    def check(where: str, value: Any) -> None:
        if not made:
            made.append(check_of(schema))
        made[0](where, value)

    return check


def _any_of(options: list[Schema]) -> Check:
    checks = [(option, _later(option)) for option in options]
    kinds = list(dict.fromkeys(_KINDS[option["type"]] for option in options if "type" in option))

    def check(where: str, value: Any) -> None:
        fitting = [pair for pair in checks if _is_of_type(pair[0], value)]
        if not fitting:
            raise wrong(where, " or ".join(kinds), value)
        if isinstance(value, dict):
            fitting = _tagged(where, value, fitting)
        _first_that_passes(where, value, fitting)

    return check


def _tagged(
    where: str, value: Mapping[str, Any], options: list[tuple[Schema, Check]]
) -> list[tuple[Schema, Check]]:
    """The options whose tags, such as ``kind``, are those of the value."""
    seen: set[str] = set()
    while tags := [tag for tag in _tags([option for option, _ in options]) if tag not in seen]:
        tag = tags[0]
        seen.add(tag)
        if tag not in value:
            raise missing(where, tag)
        choices = [choices_of(option["properties"][tag]) for option, _ in options]
        _choice(dict.fromkeys(name for names in choices for name in names))(
            joined(where, tag), value[tag]
        )
        options = [
            pair for pair, names in zip(options, choices, strict=True) if value[tag] in names
        ]
    return options


def _tags(options: list[Schema]) -> list[str]:
    """The members that every option requires and of which each lists the values, not all alike."""
    shared = set.intersection(*(set(option.get("required", ())) for option in options))
    tags = []
    for name in options[0].get("properties", {}):
        if name in shared:
            choices = [choices_of(option["properties"][name]) for option in options]
            if all(choices) and len(set(choices)) > 1:
                tags.append(name)
    return tags


def _first_that_passes(where: str, value: Any, options: list[tuple[Schema, Check]]) -> None:
    refusals: list[tuple[int, Refusal]] = []
    for option, check in options:
        try:
            return check(where, value)
        except Refusal as refusal:
            refusals.append((_likeness(option, value), refusal))
    raise max(refusals, key=lambda pair: pair[0])[1]


def _likeness(option: Schema, value: Any) -> int:
    """How much of an object an option knows, less what it misses in it."""
    if not isinstance(value, dict):
        return 0
    known_members = len(value.keys() & option.get("properties", {}).keys())
    return known_members - len(set(option.get("required", ())) - value.keys())


def _is_of_type(schema: Schema, value: Any) -> bool:
    return "type" not in schema or kind_of(value) == _KINDS[schema["type"]]


def _choice(choices: Iterable[Any]) -> Check:
    names = tuple(choices)
    if len(names) <= _LISTED_CHOICES:
        return one_of(*names)

    def check(where: str, value: Any) -> None:
        member = where.rpartition(".")[2]
        list_name, is_item, _ = member.partition("[")
        noun = f"one of the {list_name}" if is_item else f"{_article(member)} {member}"
        known(names, f"{noun} of the Dfns API")(where, value)

    return check


def _article(noun: str) -> str:
    return "an" if noun[0] in "aeiou" else "a"


def _query_check(schema: Schema) -> Check:
    *others, option = options_of(schema)
    if others:
        return any_string
    if "enum" in option:
        return _choice(option["enum"])
    if option["type"] == "array":
        return comma_separated(_query_check(option["items"]))
    return _QUERY_TYPES.get(option["type"], any_string)
