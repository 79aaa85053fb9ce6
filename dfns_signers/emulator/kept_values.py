"""Values that fit a declared shape: what was given where the shape allows it, else made up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from dfns_signers.emulator.wire import new_id
from dfns_signers.operations import Schema, choices_of, options_of

NOTHING: Final = object()
"""Stands for a value that was not given; None is one that was."""

_KINDS: Final[Mapping[str, tuple[type, ...]]] = {
    "string": (str,),
    "number": (int, float),
    "boolean": (bool,),
    "object": (dict,),
    "array": (list,),
    "null": (type(None),),
}
_MADE_UP: Final[Mapping[str, Any]] = {"number": 0, "boolean": False, "null": None}
_PREFIXES: Final = {
    "appId": "ap", "approvalId": "ap", "assignmentId": "as", "keyId": "key", "orgId": "or",
    "permissionId": "pm", "policyId": "plc", "tokenId": "to", "userId": "us", "walletId": "wa",
    "webhookId": "wh",
}  # fmt: skip
_AMOUNTS: Final = {"amount", "balance", "rewards", "value"}
# A new entity is in use, or under way, before it is anything else.
_FIRST_STATUSES: Final = ("Active", "Enabled", "Pending", "Processing", "InProgress")


@dataclass(frozen=True, slots=True)
class Values:
    """Makes values that fit shapes.

    Attributes:
        known: what members of these names are where nothing is given.
        date: what dates are that nobody gave.
        prefix: what the ``id`` of an entity starts with.
    """

    known: Mapping[str, Any]
    date: str
    prefix: str = "id"

    def fitting(self, schema: Schema, given: Any = NOTHING, name: str = "") -> Any:
        """What was given, as far as the shape allows it, and what the shape requires besides.

        Args:
            schema: a shape.
            given: a parsed JSON value.
            name: the member whose value it is.
        """
        options = list(options_of(schema))
        chosen = options[0]
        if given is NOTHING and any(option.get("type") == "null" for option in options):
            return None
        if len(options) > 1 and given is not NOTHING:
            chosen = max(options, key=lambda option: _likeness(option, given))
        return self._fitting_one(chosen, given, name)

    def _fitting_one(self, schema: Schema, given: Any, name: str) -> Any:
        if "enum" in schema:
            return self._choice(schema["enum"], given, name)
        kind = schema.get("type")
        if kind is None:
            return {} if given is NOTHING else given
        if kind == "object":
            return self._object(schema, given if isinstance(given, dict) else {})
        if kind == "array":
            items = given if isinstance(given, list) else []
            return [self.fitting(schema.get("items", {}), item) for item in items]
        for value in (given, self.known.get(name, NOTHING)):
            if is_of_kind(kind, value):
                return value
        return _MADE_UP[kind] if kind in _MADE_UP else self._string(name)

    def _choice(self, choices: Sequence[Any], given: Any, name: str) -> Any:
        wanted = [given, self.known.get(name)]
        if name == "status":
            wanted += _FIRST_STATUSES
        return next((value for value in wanted if value in choices), choices[0])

    def _object(self, schema: Schema, given: Mapping[str, Any]) -> dict[str, Any]:
        properties = schema.get("properties", {})
        required = schema.get("required", ())
        others = schema.get("additionalProperties", not properties)
        made = {
            name: self.fitting(inner, given.get(name, self.known.get(name, NOTHING)), name)
            for name, inner in properties.items()
            if name in given or name in required
        }
        if others:
            inner = {} if others is True else others
            more = given.keys() - properties.keys()
            made.update({name: self.fitting(inner, given[name], name) for name in sorted(more)})
        return made

    def _string(self, name: str) -> str:
        if name == "id":
            return new_id(self.prefix)
        if name.endswith("Id"):
            return new_id(_PREFIXES.get(name, "id"))
        if name.startswith("date") or name == "timestamp":
            return self.date
        return "0" if name in _AMOUNTS else ""


def choices_of_member(schema: Schema | None, name: str) -> tuple[Any, ...]:
    """The values that a shape lists for a member."""
    inner = members_of(schema or {}).get(name, {})
    return tuple(choice for option in options_of(inner) for choice in option.get("enum", ()))


def members_of(schema: Schema) -> dict[str, Schema]:
    """The shapes of the members that a shape knows, in any of its variants."""
    found: dict[str, list[Schema]] = {}
    for option in options_of(schema):
        for name, inner in option.get("properties", {}).items():
            found.setdefault(name, []).append(inner)
    return {
        name: inner[0] if len(inner) == 1 else {"anyOf": inner} for name, inner in found.items()
    }


def is_of_kind(kind: str, value: Any) -> bool:
    """Whether a value is of the type that a shape names."""
    return isinstance(value, _KINDS[kind]) and (kind == "boolean" or not isinstance(value, bool))


def _likeness(schema: Schema, value: Any) -> int:
    """How well a shape suits a value: its members, and the values that it lists for them."""
    kind = schema.get("type")
    if kind is not None and not is_of_kind(kind, value):
        return -100
    if kind != "object":
        return 0
    properties = schema.get("properties", {})
    likeness = -len(set(schema.get("required", ())) - value.keys())
    for name in value.keys() & properties.keys():
        choices = choices_of(properties[name])
        likeness += 1 if not choices else 10 if value[name] in choices else -10
    return likeness
