"""A rule made ready: checked once, and then asked of each call why it does not allow it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from dfns_signers.announced_call import AnnouncedCall
from dfns_signers.errors import ConfigurationError
from dfns_signers.near_miss import did_you_mean
from dfns_signers.operations import Operation, shapes_of
from dfns_signers.policy.call_template import CallTemplate, parse_call, unknown_operation
from dfns_signers.policy.members import (
    MISSING,
    Name,
    dotted,
    leads_to,
    parse_name,
    quoted,
    surplus,
    value_at,
)
from dfns_signers.policy.powerful_members import powerful_members
from dfns_signers.policy.queries import query_names
from dfns_signers.policy.rule import ANY, Rule
from dfns_signers.policy.shape_checks import BodyRule, check_body
from dfns_signers.policy.values import parse_conditions
from dfns_signers.user_action.bodies import strict_json

_EXACT: Final = frozenset({"money", "blind", "escalating"})
"""Classes of which a body has no member that the rule does not name, unless it says so."""


class Asked:
    """A call that rules are asked about; its body is read once."""

    def __init__(self, call: AnnouncedCall, operation: Operation | None) -> None:
        self.call = call
        self.operation = operation

    @cached_property
    def body(self) -> dict[str, Any] | None:
        """The members of its body; None for what is not a JSON object with one meaning.

        No body is as an empty object.
        """
        if not self.call.payload:
            return {}
        try:
            value = strict_json(self.call.payload)
        except ValueError:
            return None
        return value if isinstance(value, dict) else None


@dataclass(frozen=True, slots=True)
class Matcher:
    """A rule that can match.

    Attributes:
        rule: as it was configured.
        call: its calls.
        body: what it says of the body.
        query: the query parameters that a call may have; None for any.
    """

    rule: Rule
    call: CallTemplate
    body: BodyRule
    query: frozenset[str] | None

    @property
    def operation_class(self) -> str:
        """The class of its calls; one that is not known counts as more than one."""
        return self.call.operation.operation_class if self.call.operation else "unknown"

    @property
    def conditions(self) -> tuple[str, ...]:
        """What the rule asks of its calls, a line for each part of it."""
        body, rule = self.body, self.rule
        return (
            *(f"{name}: {' | '.join(sorted(values))}" for _, name, values in self.call.values),
            *(f"body.{dotted(name)}: {one}" for name, one in body.conditions.items()),
            *([f"requires {_listed(body.require)}"] if body.require else []),
            *([f"members: {_listed(body.admitted)}"] if body.admitted is not None else []),
            *([f"without: {_listed(body.withheld)}"] if body.withheld else []),
            *([f"query: {', '.join(sorted(self.query))}"] if self.query else []),
            *(flag for flag in ("escalates", "blind") if getattr(rule, flag)),
        )

    def names(self, asked: Asked) -> bool:
        """Whether the rule is about the operation of a call."""
        return self.call.names(asked.call, asked.operation)

    def failures(self, asked: Asked) -> tuple[str, ...]:
        """Why a call that the rule names is not allowed; empty if it is. No value is repeated."""
        return (
            *self.call.failures(asked.call),
            *self._query_failures(asked.call.query),
            *self._body_failures(asked),
        )

    def _query_failures(self, query: str) -> Iterator[str]:
        if self.query is None:
            return
        names = query_names(query)
        if names is None:
            yield "its query has more than one meaning, or a name that is percent-encoded"
            return
        for name in sorted(names - self.query):
            yield f"the query parameter {quoted((name,))} is not in its 'query'"

    def _body_failures(self, asked: Asked) -> Iterator[str]:
        rule = self.body
        if not (rule.conditions or rule.require or rule.withheld or rule.admitted is not None):
            return
        body = asked.body
        if body is None:
            yield "the body is not a JSON object that every reader reads alike"
            return
        for name, condition in rule.conditions.items():
            value = value_at(body, name)
            failure = "is missing" if value is MISSING else condition.failure(value)
            if failure:
                yield f"{quoted(name)} {failure}"
        for name in sorted(rule.require - rule.conditions.keys()):
            if _is_blank(value_at(body, name)):
                yield f"{quoted(name)} is missing"
        yield from _members_failures(rule, body)


def _members_failures(rule: BodyRule, body: Mapping[str, Any]) -> Iterator[str]:
    if rule.admitted is not None:
        for name in surplus(body, rule.admitted):
            yield f"{quoted(name)} is not in its 'members'"
    for name in sorted(rule.withheld):
        if value_at(body, name) is not MISSING:
            yield f"{quoted(name)} gives power, which a rule allows only if its 'members' has it"


def new_matcher(rule: Rule, *, signed_only: bool) -> Matcher:
    """Make a rule ready.

    Args:
        rule: as it was configured.
        signed_only: whether it is asked of signed calls alone, as by a signer.

    Raises:
        ConfigurationError: it can never match, or something in it has no effect.
    """
    call = parse_call(rule.call, rule.path)
    _check_class(rule, call)
    signed = call.operation.signed if call.operation else call.method != "GET"
    if signed_only and not signed:
        raise ConfigurationError(
            f"{rule.call} is not signed, so that a signer never sees it: leave the rule out, or "
            "give it to a caller of the gateway"
        )
    body = _body_rule(rule, call.operation)
    if call.operation is not None:
        check_body(call.operation, body)
    return Matcher(rule, call, body, _query(rule, call.operation, signed=signed))


def _check_class(rule: Rule, call: CallTemplate) -> None:
    operation = call.operation
    if operation is None:
        if not (rule.escalates and rule.blind):
            raise ConfigurationError(unknown_operation(call, rule.call))
        return
    if operation.multipart:
        raise ConfigurationError(f"{operation} takes a file, and only JSON can be announced")
    needed = operation.operation_class
    for key, wanted, its_class, meaning in (
        ("escalates", rule.escalates, "escalating", "gives power to somebody or something"),
        ("blind", rule.blind, "blind", "signs what its body does not show"),
    ):
        if needed == its_class and not wanted:
            raise ConfigurationError(
                f"{operation} {meaning}: a rule allows it only with {key} = true"
            )
        if wanted and needed != its_class:
            raise ConfigurationError(
                f"{key!r} has no effect on {operation}, which is of the class {needed}: leave it "
                "out"
            )


def _body_rule(rule: Rule, operation: Operation | None) -> BodyRule:
    conditions = parse_conditions(rule.body)
    require = frozenset(map(parse_name, rule.require))
    its_class = operation.operation_class if operation else "escalating"
    if rule.members == ANY:
        if its_class == "money":
            raise ConfigurationError(
                f"'members' cannot be {ANY!r} for a call that moves money: list them"
            )
        return BodyRule(conditions, require, None)
    if isinstance(rule.members, list):
        admitted = frozenset(map(parse_name, rule.members))
        for name in sorted({*conditions, *require}):
            if not _covers(admitted, name):
                raise ConfigurationError(
                    f"'members' does not have {dotted(name)!r}, which the rule wants: add it"
                )
        return BodyRule(conditions, require, admitted)
    if conditions or its_class in _EXACT:
        return BodyRule(conditions, require, frozenset({*conditions, *require}))
    withheld = frozenset(one for one in powerful_members(operation) if not _covers(require, one))
    return BodyRule(conditions, require, None, withheld)


def _covers(admitted: frozenset[Name], name: Name) -> bool:
    """Whether a member, what it is in or what is in it is admitted."""
    return leads_to(name, admitted) or any(name[: len(one)] == one for one in admitted)


def _query(rule: Rule, operation: Operation | None, *, signed: bool) -> frozenset[str] | None:
    if rule.query is None:
        return frozenset() if signed else None
    shapes = shapes_of(operation) if operation else None
    for name in rule.query:
        if "=" in name or query_names(name) != frozenset({name}):
            raise ConfigurationError(f"'query' has {name!r}, which is not the name of a parameter")
        if shapes and shapes.is_declared:
            known = (shapes.query or {}).get("properties", {})
            if name not in known:
                raise ConfigurationError(
                    f"{operation} has no query parameter {name!r}{did_you_mean(name, known)}"
                )
    return frozenset(rule.query)


def _listed(names: frozenset[Name]) -> str:
    return ", ".join(sorted(map(dotted, names))) or "none"


def _is_blank(value: Any) -> bool:
    if isinstance(value, str):
        return not value.strip()
    return value is MISSING or value is None
