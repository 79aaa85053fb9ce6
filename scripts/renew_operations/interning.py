"""Puts shapes and lists that occur more than once under a name, as shapes.json has them."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, TypeAlias

Schema: TypeAlias = dict[str, Any]

_LONG_LIST: Final = 20
_LONG: Final = 150
"""Characters from which a repeated shape gets a name."""
_ALIKE: Final = 0.5
"""Share of the strings of two lists that are the same, from which one is a newer other."""


class Interning:
    """Names for what is repeated; those of the shapes there were before are kept.

    Args:
        before: shapes.json as it was.
        recursive: types that contain themselves, by the name that they are referred to.
    """

    def __init__(self, before: Mapping[str, Any], recursive: Mapping[str, Schema]) -> None:
        self._before = before
        self._recursive = recursive
        self._old_names = {
            _text(_written_out(schema, before)): name
            for name, schema in before["types"].items()
            if name not in _recursive_names(before)
        }
        self._counts: Counter[str] = Counter()
        self._names: dict[str, str] = {}
        self.types: dict[str, Schema] = {}
        self.enums: dict[str, list[str]] = {}

    def count(self, schema: Schema) -> None:
        """Take note of a schema before any is interned."""
        for inner in _inside(schema):
            self._counts[_text(inner)] += 1

    def intern(self, schema: Schema) -> Schema:
        """The schema with ``$ref`` and ``$enum`` for what is repeated or long."""
        if "$ref" in schema:
            return {"$ref": self._recursive_type(schema["$ref"])}
        if len(schema.get("enum", ())) >= _LONG_LIST:
            return {"$enum": self._enum(schema["enum"])}
        text = _text(schema)
        if self._counts[text] == 1 or len(text) < _LONG or not {"properties", "anyOf"} & {*schema}:
            return self.with_inner(schema)
        if text not in self._names:
            name = self._old_names.get(text) or self._new_name("t", self._before["types"])
            self._names[text] = name
            self.types[name] = {}
            self.types[name] = self.with_inner(schema)
        return {"$ref": self._names[text]}

    def with_inner(self, schema: Schema) -> Schema:
        """The schema, which is written out, with all inside of it interned."""
        return _with_inner(schema, self.intern)

    def _recursive_type(self, name: str) -> str:
        if name not in self.types:
            self.types[name] = {}
            self.types[name] = self.with_inner(self._recursive[name])
        return name

    def _enum(self, strings: list[str]) -> str:
        for name, known in self.enums.items():
            if known == strings:
                return name
        free = {
            name: _likeness(strings, known)
            for name, known in self._before["enums"].items()
            if name not in self.enums
        }
        name = max(free, key=lambda one: free[one], default="")
        if not name or free[name] < _ALIKE:
            name = self._new_name("e", self._before["enums"])
        self.enums[name] = strings
        return name

    def _new_name(self, letter: str, before: Mapping[str, Any]) -> str:
        taken = {*before, *self.types, *self.enums, *self._names.values()}
        number = 0
        while f"{letter}{number}" in taken:
            number += 1
        return f"{letter}{number}"


def _inside(schema: Schema) -> Iterator[Schema]:
    """A schema and all inside of it."""
    yield schema
    more = schema.get("additionalProperties")
    direct = [*schema.get("properties", {}).values(), *schema.get("anyOf", ()), schema.get("items")]
    for inner in (*direct, more):
        if isinstance(inner, dict):
            yield from _inside(inner)


def _with_inner(schema: Schema, change: Callable[[Schema], Schema]) -> Schema:
    """The schema with each schema directly inside of it changed."""
    changed = dict(schema)
    for keyword in ("items", "additionalProperties"):
        if isinstance(schema.get(keyword), dict):
            changed[keyword] = change(schema[keyword])
    if "anyOf" in schema:
        changed["anyOf"] = [change(one) for one in schema["anyOf"]]
    if "properties" in schema:
        changed["properties"] = {name: change(one) for name, one in schema["properties"].items()}
    return changed


def _written_out(schema: Schema, shapes: Mapping[str, Any]) -> Schema:
    """The schema without names, but those of recursive types."""
    if "$enum" in schema:
        return {"type": "string", "enum": shapes["enums"][schema["$enum"]]}
    if "$ref" in schema and schema["$ref"] not in _recursive_names(shapes):
        return _written_out(shapes["types"][schema["$ref"]], shapes)
    return _with_inner(schema, lambda one: _written_out(one, shapes))


def _recursive_names(shapes: Mapping[str, Any]) -> set[str]:
    """Recursive types are named by the SDK: ``folder.Name``."""
    return {name for name in shapes["types"] if "." in name}


def _likeness(first: list[str], second: list[str]) -> float:
    return len({*first} & {*second}) / len({*first} | {*second})


def _text(schema: Schema) -> str:
    return json.dumps(schema, sort_keys=True)
