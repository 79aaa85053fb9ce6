"""What a rule says of the value of a member: one of some values, or an amount in a range."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from dfns_signers.errors import ConfigurationError
from dfns_signers.policy.members import Name, dotted

Scalar: TypeAlias = str | bool | int

_AMOUNT: Final = re.compile(r"0|[1-9][0-9]{0,77}")
_HEXADECIMAL: Final = re.compile(r"0x[0-9A-Fa-f]{40,}")
"""An address or a hash. A shorter string may be a memo, of which another case is another one."""
_RANGE: Final = frozenset({"min", "max"})
_EXACT_IN_ANY_READER: Final = 2**53 - 1
"""Beyond it, a reader of JSON that has doubles alone takes one integer for another."""


@dataclass(frozen=True, slots=True)
class OneOf:
    """Values of which a member must have one; a type is not another: ``true`` is not ``1``.

    Strings of ``0x`` and 40 hexadecimal digits or more are compared without case: their digits are
    the same bytes, and the case of an address is no more than its checksum.
    """

    values: tuple[Scalar, ...]

    def failure(self, value: Any) -> str:
        """Why a value does not pass; empty if it does."""
        return "" if any(_same(value, one) for one in self.values) else "is not one of its values"

    def __str__(self) -> str:
        return " | ".join(map(_toml, self.values))


@dataclass(frozen=True, slots=True)
class AmountRange:
    """Amounts from ``low`` to ``high``, both included; None where there is no end.

    An amount is a JSON string of 1 to 78 ASCII digits without a leading zero. No other form passes,
    since the next reader may take it for another number.
    """

    low: int
    high: int | None

    def failure(self, value: Any) -> str:
        """Why a value does not pass; empty if it does."""
        if not isinstance(value, str) or not _AMOUNT.fullmatch(value):
            return "is not an amount: expected a string of digits, without a leading zero"
        if int(value) < self.low:
            return "is under its min"
        return "is over its max" if self.high is not None and int(value) > self.high else ""

    def __str__(self) -> str:
        return f"{self.low} to {self.high}" if self.high is not None else f"{self.low} or more"


Condition: TypeAlias = OneOf | AmountRange


def parse_conditions(table: Mapping[str, Any], inside: Name = ()) -> dict[Name, Condition]:
    """The conditions of the table ``body`` of a rule, by the name of the member.

    Raises:
        ConfigurationError: a value is of another form, or none could ever pass.
    """
    found: dict[Name, Condition] = {}
    for key, given in table.items():
        if not key or "." in key:
            raise ConfigurationError(f"'body' has the key {key!r}: nest it, as in body.a.b = …")
        name = (*inside, key)
        if not isinstance(given, Mapping):
            found[name] = _one_of(name, given)
        elif given and given.keys() <= _RANGE:
            found[name] = _range(name, given)
        elif given:
            found.update(parse_conditions(given, name))
        else:
            raise ConfigurationError(f"body.{dotted(name)} is empty: give it values, or a range")
    return found


def _one_of(name: Name, given: Any) -> OneOf:
    values = tuple(given) if isinstance(given, list) else (given,)
    if not values:
        raise ConfigurationError(f"body.{dotted(name)} is an empty array, which no value is in")
    for value in values:
        if not isinstance(value, (str, int)):
            raise ConfigurationError(
                f"body.{dotted(name)} takes strings, integers and booleans, an array of them, or "
                "a table with 'min' and 'max' for an amount"
            )
        if not isinstance(value, str) and abs(value) > _EXACT_IN_ANY_READER:
            raise ConfigurationError(
                f"body.{dotted(name)} has an integer beyond 2^53, which readers of JSON take for "
                "another: an amount is a string"
            )
    return OneOf(values)


def _range(name: Name, given: Mapping[str, Any]) -> AmountRange:
    low = _amount(name, given.get("min", 0))
    high = _amount(name, given["max"]) if "max" in given else None
    if high is not None and low > high:
        raise ConfigurationError(f"body.{dotted(name)} has a 'min' above its 'max'")
    return AmountRange(low, high)


def _amount(name: Name, given: Any) -> int:
    text = str(given) if type(given) is int else given
    if not isinstance(text, str) or not _AMOUNT.fullmatch(text):
        raise ConfigurationError(
            f"'min' and 'max' of body.{dotted(name)} are amounts in the smallest unit: a string of "
            "1 to 78 digits without a leading zero, or an integer"
        )
    return int(text)


def _same(value: Any, listed: Scalar) -> bool:
    if type(value) is not type(listed):
        return False
    if not (isinstance(value, str) and isinstance(listed, str) and _are_hexadecimal(value, listed)):
        return bool(value == listed)
    return value.lower() == listed.lower()


def _are_hexadecimal(*texts: str) -> bool:
    return all(_HEXADECIMAL.fullmatch(text) for text in texts)


def _toml(value: Scalar) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
