"""The declared shapes of operations: a part of JSON Schema, as parsed JSON.

A shape has ``type`` (a name or a list of names), ``properties``, ``required``,
``additionalProperties``, ``items``, ``enum`` (of strings), ``const``, ``anyOf``; ``$ref`` names a
declared type, ``$enum`` a list of strings. An empty shape is any value, and an answer without a
body is null.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, NamedTuple, TypeAlias

from dfns_signers.operations.table import Operation, read_table

Schema: TypeAlias = Mapping[str, Any]


class Shapes(NamedTuple):
    """What the official SDKs declare of one operation; None where they declare nothing.

    Attributes:
        query: an object of the query parameters.
        body: the JSON body of the request.
        response: the JSON body of the answer.
        is_declared: whether the types know the operation, be it without body or query.
    """

    query: Schema | None = None
    body: Schema | None = None
    response: Schema | None = None
    is_declared: bool = False


def shapes_of(operation: Operation) -> Shapes:
    """The declared shapes of an operation."""
    found = _shapes()["operations"].get(str(operation))
    return Shapes() if found is None else Shapes(**found, is_declared=True)


def declared_type(name: str) -> Schema:
    """The shape that a ``$ref`` names."""
    schema: Schema = _shapes()["types"][name]
    return schema


def declared_enum(name: str) -> tuple[str, ...]:
    """The strings that an ``$enum`` names."""
    return tuple(_shapes()["enums"][name])


def options_of(schema: Schema) -> Iterator[Schema]:
    """The shapes of which a value must have one, each of one type, without references."""
    if "$ref" in schema:
        yield from options_of(declared_type(schema["$ref"]))
    elif "$enum" in schema:
        yield {"type": "string", "enum": declared_enum(schema["$enum"])}
    elif "const" in schema:
        yield {**schema, "enum": (schema["const"],)}
    elif "anyOf" in schema:
        for option in schema["anyOf"]:
            yield from options_of(option)
    elif isinstance(schema.get("type"), list):
        for kind in schema["type"]:
            yield {**schema, "type": kind}
    else:
        yield schema


def choices_of(schema: Schema) -> tuple[Any, ...]:
    """The values that a shape lists; none where it allows others."""
    options = list(options_of(schema))
    if not all("enum" in option for option in options):
        return ()
    return tuple(choice for option in options for choice in option["enum"])


@cache
def _shapes() -> dict[str, Any]:
    return read_table("shapes.json")
