"""A rule for every operation of the API, so that a client may call each."""

from __future__ import annotations

from functools import cache
from typing import Any

import tomlkit

from dfns_signers.operations import Operation, operations, options_of, shapes_of
from dfns_signers.user_action import signing_flow


@cache
def every_operation(caller: str) -> str:
    """TOML with a rule for each operation that a rule can name, with its name."""
    steps = {signing_flow.INIT_PATH, signing_flow.COMPLETE_PATH}
    rules = [_rule(one) for one in operations() if one.path not in steps and not one.multipart]
    return tomlkit.dumps({"gateway": {"callers": {caller: {"allow": rules}}}})


def _rule(operation: Operation) -> dict[str, Any]:
    rule: dict[str, Any] = {"name": str(operation), "call": str(operation)}
    shapes = shapes_of(operation)
    if operation.operation_class in {"money", "blind", "escalating"}:
        rule |= _members(operation)
    if operation.signed and _names(shapes.query):
        rule["query"] = _names(shapes.query)
    if operation.operation_class == "escalating":
        rule["escalates"] = True
    if operation.operation_class == "blind":
        rule["blind"] = True
    return rule


def _members(operation: Operation) -> dict[str, Any]:
    shapes = shapes_of(operation)
    if shapes.is_declared:
        names = _names(shapes.body)
        return {"members": names} if names else {}
    return {"members": ["name"] if operation.operation_class == "money" else "any"}


def _names(schema: Any) -> list[str]:
    """The members that a value of any variant of a shape may have."""
    names = (name for one in options_of(schema or {}) for name in one.get("properties", {}))
    return sorted(set(names))
