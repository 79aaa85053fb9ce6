"""The ``call`` of a rule: a method, and a path with placeholders or identifiers in their place."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote, unquote

from dfns_signers.announced_call import AnnouncedCall
from dfns_signers.errors import ConfigurationError, RequestError
from dfns_signers.near_miss import did_you_mean
from dfns_signers.operations import Operation, match_operation, path_hint
from dfns_signers.operations.table import is_placeholder
from dfns_signers.user_action.paths import check_path
from dfns_signers.user_action.signing_flow import COMPLETE_PATH, INIT_PATH

_METHODS: Final = ("GET", "POST", "PUT", "DELETE")
_ANY_ID: Final = "id"


@dataclass(frozen=True, slots=True)
class CallTemplate:
    """Calls of one operation, or of a path that no operation of the table has.

    Attributes:
        operation: None where the table has none.
        segments: those of the path, decoded; None for a placeholder.
        values: what a segment may be, decoded, by its number and the name of its placeholder.
    """

    method: str
    operation: Operation | None
    segments: tuple[str | None, ...]
    values: tuple[tuple[int, str, frozenset[str]], ...]

    def names(self, call: AnnouncedCall, operation: Operation | None) -> bool:
        """Whether a call is of the operation, whatever its path parameters are.

        Args:
            call: with a path that ``check_path`` takes.
            operation: that of the call.
        """
        if self.operation is not None or operation is not None:
            return self.operation == operation
        found = call.segments
        return (
            call.method == self.method
            and len(found) == len(self.segments)
            and all(own in (None, one) for own, one in zip(self.segments, found, strict=True))
        )

    def failures(self, call: AnnouncedCall) -> Iterator[str]:
        """Why the path parameters of a call that it names do not pass."""
        found = call.segments
        for number, name, values in self.values:
            if found[number] not in values:
                yield f"the path parameter {name!r} is not one of its values"


def parse_call(text: str, path: Mapping[str, Sequence[str]]) -> CallTemplate:
    """Read ``call`` and ``path`` of a rule.

    Args:
        text: such as ``POST /wallets/{walletId}/transfers``.
        path: values of placeholders, decoded.

    Raises:
        ConfigurationError: not of that form, no operation, or values that no path has.
    """
    method, template = _method_and_path(text)
    given = template.split("/")[1:]
    _check_literals(given)
    operation = match_operation(method, template)
    if operation is None and is_placeholder(given[0]):
        raise ConfigurationError("'call' begins with a placeholder: name one operation")
    names = _placeholders(given, operation)
    values = {name: frozenset([unquote(one)]) for name, one in names if not is_placeholder(one)}
    for name, listed in path.items():
        values[name] = _listed(name, listed, names)
    call = CallTemplate(
        method,
        operation,
        tuple(None if is_placeholder(one) else unquote(one) for one in given),
        tuple(
            (number, name, values[name])
            for number, name in _numbered(given, operation)
            if name in values
        ),
    )
    _check_reachable(call)
    return call


def _method_and_path(text: str) -> tuple[str, str]:
    method, _, template = text.partition(" ")
    if method not in _METHODS or not template.startswith("/"):
        raise ConfigurationError(
            "'call' is a method and a path, such as 'POST /wallets/{walletId}/transfers'; the "
            f"methods are {', '.join(_METHODS)}"
        )
    if "*" in template:
        raise ConfigurationError(
            "'call' has a wildcard: name one operation, with {placeholders} for its path "
            "parameters; 'dfns-signers operations' lists them"
        )
    if template in (INIT_PATH, COMPLETE_PATH):
        raise ConfigurationError(
            f"{template} is how calls are signed, and no call of its own: name the calls"
        )
    return method, template


def _check_literals(segments: Sequence[str]) -> None:
    literal = [one for one in segments if not is_placeholder(one)]
    try:
        check_path("/" + "/".join(literal or [_ANY_ID]))
    except RequestError as error:
        raise ConfigurationError(f"'call': {error}") from error


def _numbered(segments: Sequence[str], operation: Operation | None) -> Iterator[tuple[int, str]]:
    """The number of each placeholder among the segments, and its name."""
    template = operation.path.split("/")[1:] if operation else segments
    for number, segment in enumerate(template):
        if is_placeholder(segment):
            yield number, segment[1:-1]


def _placeholders(segments: Sequence[str], operation: Operation | None) -> list[tuple[str, str]]:
    """Each placeholder by name, with what the rule has in its place."""
    found = [(name, segments[number]) for number, name in _numbered(segments, operation)]
    for name, segment in found:
        if is_placeholder(segment) and segment != f"{{{name}}}":
            raise ConfigurationError(f"'call' has {segment}, where {operation} has {{{name}}}")
    if len({name for name, _ in found}) < len(found):
        raise ConfigurationError("'call' has a placeholder twice")
    return found


def _listed(name: str, listed: Sequence[str], names: Sequence[tuple[str, str]]) -> frozenset[str]:
    known = dict(names)
    if name not in known:
        shown = f"it has {', '.join(known)}" if known else "it has none"
        raise ConfigurationError(
            f"'path' names {name!r}, which is not a path parameter of the call"
            f"{did_you_mean(name, known)}: {shown}"
        )
    if not is_placeholder(known[name]):
        raise ConfigurationError(f"'call' and 'path' both have a value for {name!r}: leave one out")
    if not listed:
        raise ConfigurationError(f"path.{name} is an empty array, which no value is in")
    for value in listed:
        try:
            check_path(f"/{quote(value, safe='')}")
        except (RequestError, ValueError) as error:
            raise ConfigurationError(
                f"path.{name} has a value that no path has: {error}"
            ) from error
    return frozenset(listed)


def _check_reachable(call: CallTemplate) -> None:
    """Refuse a value with which a path belongs to another operation: ``/wallets/all/history``."""
    if call.operation is None:
        return
    template = call.operation.path.split("/")
    for number, name, values in call.values:
        for value in sorted(values):
            path = [*template]
            path[number + 1] = quote(value, safe="")
            if match_operation(call.method, "/".join(path)) != call.operation:
                raise ConfigurationError(
                    f"the value {value!r} of {name!r} makes it a call of another operation: give "
                    "that one a rule"
                )


def unknown_operation(call: CallTemplate, text: str) -> str:
    """What to say of a call that the table does not have."""
    template = text.partition(" ")[2]
    return (
        f"{text} is not an operation that is known here{path_hint(call.method, template)}. One "
        "that is newer than this version is allowed by a rule with escalates = true and blind = "
        "true"
    )
