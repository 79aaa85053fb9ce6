"""A rule for every operation of the API, so that a client may call each."""

from __future__ import annotations

from functools import cache
from typing import Any

import tomlkit

from dfns_signers.operations import Operation, operations, options_of, shapes_of


@cache
def every_operation(caller: str) -> str:
    """TOML with a rule for each operation, named as the operation."""
    rules = [_rule(one) for one in operations()]
    return tomlkit.dumps({"gateway": {"callers": {caller: {"allow": rules}}}})


def _rule(operation: Operation) -> dict[str, Any]:
    rule: dict[str, Any] = {"name": str(operation), "call": str(operation)}
    shapes = shapes_of(operation)
    if operation.operation_class in {"money", "blind", "escalating"}:
        # What the API is asked for where no shape is declared has a name alone.
        rule["members"] = _names(shapes.body) or ["name"]
    if operation.signed and _names(shapes.query):
        rule["query"] = _names(shapes.query)
    if operation.operation_class == "escalating":
        rule["escalates"] = True
    if operation.operation_class == "blind":
        rule["blind"] = True
    return rule


def _names(schema: Any) -> list[str]:
    """The members that a value of any variant of a shape may have."""
    names = (name for one in options_of(schema or {}) for name in one.get("properties", {}))
    return sorted(set(names))
