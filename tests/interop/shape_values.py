"""Minimal values that a declared shape allows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dfns_signers.operations import Schema, choices_of, declared_type

MOMENTS = {"startTime": "2026-01-01T00:00:00Z", "endTime": "2100-01-01T00:00:00Z"}


def minimal(schema: Schema, known: Mapping[str, Any], name: str = "") -> Any:
    """The smallest value of a shape; members that are known by name are what is known."""
    if "$ref" in schema:
        return minimal(declared_type(schema["$ref"]), known, name)
    if "anyOf" in schema:
        return minimal(schema["anyOf"][0], known, name)
    choices = choices_of(schema)
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
