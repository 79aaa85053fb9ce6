"""The members of a declared shape, one row each."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from dfns_signers.operations import Schema, declared_enum, declared_type, options_of

_SHOWN_CHOICES: Final = 6


class Member(NamedTuple):
    """A row: name with dots, type, and whether it is required where its object is present."""

    name: str
    type: str
    required: bool


def members_of(schema: Schema, inside: str = "", seen: tuple[str, ...] = ()) -> Iterator[Member]:
    """The members of an object, of the objects in it, and of each of several shapes it may have."""
    options = [one for one in options_of(schema) if "properties" in one]
    for option in options:
        label = f"{inside}{_label(option)}" if len(options) > 1 else inside
        for name, inner in option["properties"].items():
            full = f"{label}{name}"
            yield Member(full, type_of(inner), name in option.get("required", ()))
            item, suffix = _item(inner)
            reference = item.get("$ref", "")
            if reference not in seen:
                names = (*seen, reference) if reference else seen
                yield from members_of(item, f"{full}{suffix}.", names)


def type_of(schema: Schema) -> str:
    """A declared type in few words."""
    return " or ".join(dict.fromkeys(_named(option) for option in options_of(schema)))


def written_out(schema: Schema, seen: tuple[str, ...] = ()) -> Any:
    """The shape as JSON Schema without references; a type inside of itself is any value."""
    if "$enum" in schema:
        return {"type": "string", "enum": list(declared_enum(schema["$enum"]))}
    if "$ref" in schema:
        name = schema["$ref"]
        return {} if name in seen else written_out(declared_type(name), (*seen, name))
    written: dict[str, Any] = dict(schema)
    for keyword in ("items", "additionalProperties"):
        if isinstance(schema.get(keyword), dict):
            written[keyword] = written_out(schema[keyword], seen)
    if "anyOf" in schema:
        written["anyOf"] = [written_out(one, seen) for one in schema["anyOf"]]
    if "properties" in schema:
        properties = schema["properties"].items()
        written["properties"] = {name: written_out(inner, seen) for name, inner in properties}
    return written


def _named(schema: Schema) -> str:
    if "enum" in schema:
        choices = [str(choice) for choice in schema["enum"]]
        shown = " | ".join(choices[:_SHOWN_CHOICES])
        return shown if len(choices) <= _SHOWN_CHOICES else f"{shown} | … ({len(choices)} in all)"
    if schema.get("type") == "array":
        return f"array of {type_of(schema.get('items', {}))}"
    return str(schema.get("type", "any value"))


def _label(option: Schema) -> str:
    """``[kind=Native] `` for one of several shapes."""
    for name, inner in option["properties"].items():
        if "const" in inner:
            return f"[{name}={inner['const']}] "
    return ""


def _item(schema: Schema) -> tuple[Schema, str]:
    """What an array has in it, with the brackets to show; any other shape as it is."""
    for option in options_of(schema):
        if option.get("type") == "array":
            return option.get("items", {}), "[]"
    return schema, ""
