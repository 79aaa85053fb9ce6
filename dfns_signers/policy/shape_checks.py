"""Whether a rule fits the declared shape of a body: one that no body can satisfy is found here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

from dfns_signers.errors import ConfigurationError
from dfns_signers.near_miss import did_you_mean
from dfns_signers.operations import Operation, Schema, options_of, shapes_of
from dfns_signers.policy.members import Name, dotted, leads_to
from dfns_signers.policy.values import Condition, OneOf, Scalar

_TYPES: Final[Mapping[type, frozenset[str]]] = {
    str: frozenset({"string"}),
    bool: frozenset({"boolean"}),
    int: frozenset({"number", "integer"}),
}


@dataclass(frozen=True, slots=True)
class BodyRule:
    """What a rule says of a body.

    Attributes:
        admitted: the members that it may have; None for any.
        withheld: members that it may not have.
    """

    conditions: Mapping[Name, Condition]
    require: frozenset[Name]
    admitted: frozenset[Name] | None
    withheld: frozenset[Name] = frozenset()

    def narrowed(self, name: Name, value: Scalar) -> BodyRule:
        """The same with one value of a member."""
        return replace(self, conditions={**self.conditions, name: OneOf((value,))})


def check_body(operation: Operation, rule: BodyRule) -> None:
    """Refuse what no body of an operation satisfies, as far as its shape is declared.

    Raises:
        ConfigurationError: names the member or value, and what was probably meant.
    """
    shapes = shapes_of(operation)
    names = {*rule.conditions, *rule.require, *(rule.admitted or ())}
    if shapes.body is None:
        if shapes.is_declared and names:
            raise ConfigurationError(f"{operation} takes no body: leave its members out")
        return
    for name in sorted(names):
        _check_name(shapes.body, name, operation)
    for name, condition in rule.conditions.items():
        _check_condition(shapes.body, name, condition)
    _check_possible(shapes.body, rule)


def _check_name(body: Schema, name: Name, operation: Operation) -> None:
    if _has(body, name):
        return
    parent = name[:-1]
    _check_name(body, parent, operation)
    known = [
        dotted((*parent, member))
        for option in _at(body, parent)
        for member in option.get("properties", ())
    ]
    if not known:
        raise ConfigurationError(
            f"{dotted(parent)!r} has no members in the body of {operation}: name it whole; a range "
            "of amounts is a table with 'min' and 'max' alone"
        )
    raise ConfigurationError(
        f"the body of {operation} has no member {dotted(name)!r}"
        f"{did_you_mean(dotted(name), known)}: 'dfns-signers operations {operation}' lists them"
    )


def _check_condition(body: Schema, name: Name, condition: Condition) -> None:
    options = list(_at(body, name))
    if not isinstance(condition, OneOf):
        if not any(_takes(option, condition) for option in options):
            raise ConfigurationError(
                f"body.{dotted(name)} is not an amount: 'min' and 'max' fit strings of digits"
            )
        return
    for value in condition.values:
        if not any(_takes(option, OneOf((value,))) for option in options):
            known = [str(one) for option in options for one in option.get("enum", ())]
            kinds = " or ".join(dict.fromkeys(str(one.get("type", "any")) for one in options))
            expected = "" if known else f": expected {kinds}"
            raise ConfigurationError(
                f"body.{dotted(name)} never has the value {value!r}"
                f"{did_you_mean(str(value), known)}{expected}"
            )


def _check_possible(body: Schema, rule: BodyRule) -> None:
    """Refuse a rule, or a value of it, that fits none of the shapes that the body may have."""
    narrowed = [
        (f"with {dotted(name)} = {value!r}, ", rule.narrowed(name, value))
        for name, condition in rule.conditions.items()
        if isinstance(condition, OneOf)
        for value in condition.values
    ]
    for title, one in [("", rule), *narrowed]:
        obstacles = [_obstacle(variant, one) for variant in _objects(body)]
        if obstacles and all(obstacles):
            # Of a shape that the conditions fit, if there is one.
            nearest = min(obstacles, key=lambda each: each.startswith("no body"))
            raise ConfigurationError(f"it can never match: {title}{nearest}")


def _obstacle(variant: Schema, rule: BodyRule) -> str:
    """Why no body of one shape satisfies a rule; empty if one may."""
    for name, condition in rule.conditions.items():
        if not any(_takes(option, condition) for option in _at(variant, name)):
            return f"no body has these values together, of which {dotted(name)!r} is one"
    for name in rule.require:
        if not _has(variant, name):
            return f"no body has these values and the required {dotted(name)!r}"
    if rule.admitted is not None:
        needed = {(member,) for member in variant.get("required", ())}
        lacking = sorted(dotted(one) for one in needed if not leads_to(one, rule.admitted))
        if lacking:
            return (
                f"the body needs {', '.join(map(repr, lacking))}: add it to 'members', or give it "
                "values in 'body'"
            )
    return ""


def _objects(schema: Schema) -> Iterator[Schema]:
    return (one for one in options_of(schema) if one.get("type", "object") == "object")


def _at(schema: Schema, name: Name) -> Iterator[Schema]:
    """The shapes that a member may have, in each of the shapes that its object may have."""
    if not name:
        yield from options_of(schema)
        return
    for option in _objects(schema):
        properties = option.get("properties", {})
        if name[0] in properties:
            yield from _at(properties[name[0]], name[1:])
        elif _is_open(option):
            yield {}


def _has(schema: Schema, name: Name) -> bool:
    """Whether a body of a shape may have a member."""
    return next(_at(schema, name), None) is not None


def _is_open(option: Schema) -> bool:
    """Whether an object may have members that its shape does not list."""
    return option.get("additionalProperties", "properties" not in option) is not False


def _takes(option: Schema, condition: Condition) -> bool:
    """Whether a value of a shape may satisfy a condition."""
    if not isinstance(condition, OneOf):
        return option.get("type", "string") == "string" and "enum" not in option
    return any(_is_value(option, value) for value in condition.values)


def _is_value(option: Schema, value: Scalar) -> bool:
    if "enum" in option:
        return any(type(one) is type(value) and one == value for one in option["enum"])
    return "type" not in option or option["type"] in _TYPES[type(value)]
