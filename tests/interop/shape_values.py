"""Minimal values that a declared shape allows, and the judgement of jsonschema on any."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jsonschema import Draft202012Validator

from dfns_signers.operations import Operation, Schema, declared_enum, declared_type, shapes_of

MOMENTS = {"startTime": "2026-01-01T00:00:00Z", "endTime": "2100-01-01T00:00:00Z"}


def minimal(schema: Schema, known: Mapping[str, Any], name: str = "") -> Any:
    """The smallest value of a shape; members that are known by name are what is known."""
    if "$ref" in schema:
        return minimal(declared_type(schema["$ref"]), known, name)
    if "anyOf" in schema:
        return minimal(schema["anyOf"][0], known, name)
    choices = _choices(schema)
    if choices:
        return known[name] if known.get(name) in choices else choices[0]
    if name in known:
        return known[name]
    kind = schema.get("type", "object")
    kind = kind if isinstance(kind, str) else kind[0]
    if kind == "object":
        properties = schema.get("properties", {})
        required = schema.get("required", ())
        return {one: minimal(properties[one], known, one) for one in required}
    return {"string": "1", "number": 1, "boolean": True, "array": [], "null": None}[kind]


def faults(operation: Operation, value: Any) -> list[str]:
    """What of an answer its declared shape does not allow."""
    shape = shapes_of(operation).response
    if shape is None:
        return []
    validator = Draft202012Validator(_expanded(shape))
    return [f"{one.json_path}: {one.message[:300]}" for one in validator.iter_errors(value)]


def _expanded(value: Any) -> Any:
    """A shape as JSON Schema, with what its references name in their places."""
    if isinstance(value, list):
        return [_expanded(item) for item in value]
    if not isinstance(value, Mapping):
        return value
    if "$ref" in value:
        return _expanded(declared_type(value["$ref"]))
    if "$enum" in value:
        return {"enum": list(declared_enum(value["$enum"]))}
    return {name: _expanded(inner) for name, inner in value.items()}


def _choices(schema: Schema) -> tuple[Any, ...]:
    if "$enum" in schema:
        return declared_enum(schema["$enum"])
    return (schema["const"],) if "const" in schema else tuple(schema.get("enum", ()))
