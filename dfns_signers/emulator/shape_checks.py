"""Checks of requests that are made from the declared shapes of an operation."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import Any, Final

from dfns_signers.emulator.fields import (
    Check,
    any_object,
    anything,
    boolean,
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
from dfns_signers.operations import Operation, Schema, declared_enum, declared_type, shapes_of

_LISTED_CHOICES: Final = 8
_TYPES: Final[Mapping[str, Check]] = {
    "string": string(0),
    "number": number,
    "boolean": boolean,
    "null": null,
}
_KINDS: Final = {
    "string": (str,),
    "number": (int, float),
    "boolean": (bool,),
    "null": (type(None),),
    "object": (dict,),
    "array": (list,),
}
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


def check_of(schema: Schema) -> Check:
    """The check of values that must have this shape."""
    options = list(_options(schema))
    return _check_of_one(options[0]) if len(options) == 1 else _any_of(options)


def _options(schema: Schema) -> Iterator[Schema]:
    """The shapes of which a value must have one, without references and shapes of several types."""
    if "$ref" in schema:
        yield from _options(declared_type(schema["$ref"]))
    elif "anyOf" in schema:
        for option in schema["anyOf"]:
            yield from _options(option)
    elif isinstance(schema.get("type"), list):
        for kind in schema["type"]:
            yield {**schema, "type": kind}
    else:
        yield schema


def _check_of_one(schema: Schema) -> Check:
    choices = _choices(schema)
    if choices:
        return _choice(choices)
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
    more = schema.get("additionalProperties", not properties)
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

    def check(where: str, value: Any) -> None:
        fitting = [pair for pair in checks if _is_of_type(pair[0], value)]
        if not fitting:
            kinds = dict.fromkeys(str(option.get("type")) for option in options)
            raise wrong(where, " or ".join(f"a value of type {kind}" for kind in kinds), value)
        if isinstance(value, dict):
            fitting = _tagged(where, value, fitting)
        _first_that_passes(where, value, fitting)

    return check


def _tagged(
    where: str, value: Mapping[str, Any], options: list[tuple[Schema, Check]]
) -> list[tuple[Schema, Check]]:
    """The options whose tags, such as ``kind``, are those of the value."""
    for tag in _tags([option for option, _ in options]):
        if tag not in value:
            raise missing(where, tag)
        choices = [_choices(option["properties"][tag]) for option, _ in options]
        _choice(dict.fromkeys(name for names in choices for name in names))(
            joined(where, tag), value[tag]
        )
        options = [
            pair for pair, names in zip(options, choices, strict=True) if value[tag] in names
        ]
    return options


def _tags(options: list[Schema]) -> list[str]:
    """The members that every option requires and of which each lists the values, not all alike."""
    if len(options) == 1:
        return []
    shared = set.intersection(*(set(option.get("required", ())) for option in options))
    tags = []
    for name in options[0].get("properties", {}):
        if name in shared:
            choices = [_choices(option["properties"][name]) for option in options]
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
    kinds = _KINDS.get(schema.get("type", ""))
    if kinds is None:
        return True
    return isinstance(value, kinds) and (not isinstance(value, bool) or kinds == (bool,))


def _choices(schema: Schema) -> tuple[str, ...]:
    """The values that a shape lists; none where it does not."""
    if "$ref" in schema:
        return _choices(declared_type(schema["$ref"]))
    if "$enum" in schema:
        return declared_enum(schema["$enum"])
    if "const" in schema:
        return (schema["const"],)
    return tuple(schema.get("enum", ()))


def _choice(choices: Iterable[str]) -> Check:
    names = tuple(choices)
    if len(names) <= _LISTED_CHOICES:
        return one_of(*names)

    def check(where: str, value: Any) -> None:
        member = where.rpartition(".")[2] or "value"
        known(names, f"a {member} of the Dfns API")(where, value)

    return check


def _query_check(schema: Schema) -> Check:
    options = list(_options(schema))
    if len(options) > 1:
        return string(0)
    return (
        _choice(_choices(options[0]))
        if _choices(options[0])
        else _QUERY_TYPES.get(options[0].get("type", ""), string(0))
    )
