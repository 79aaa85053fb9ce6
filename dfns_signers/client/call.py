"""One API call as data: what to send, and what type answers."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Generic, TypeAlias, TypeVar

from dfns_signers.arguments import by_name
from dfns_signers.errors import RequestError
from dfns_signers.user_action.bodies import to_json_bytes
from dfns_signers.user_action.endpoints import (
    check_method,
    is_idempotent_by_external_id,
    needs_user_action,
)
from dfns_signers.user_action.paths import expand

T = TypeVar("T")

Scalar: TypeAlias = str | int | float | bool
QueryValue: TypeAlias = Scalar | list[Scalar] | tuple[Scalar, ...] | None


@dataclass(frozen=True, slots=True)
class Call(Generic[T]):
    """A call that was checked and serialised; ``T`` is the JSON type of its answer.

    Attributes:
        method: upper-case HTTP method.
        path: percent-encoded path.
        content: the body, exactly as it will be announced and sent; empty for none.
        params: query parameters; None values are left out, booleans are lower case.
        signed: whether it needs a user action.
        announces: whether it only announces another call, and so has no effect of its own.
    """

    method: str
    path: str
    content: bytes = field(default=b"", repr=False)
    params: Mapping[str, QueryValue] = field(default_factory=dict)
    signed: bool = False
    announces: bool = False

    @classmethod
    def of(
        cls,
        method: str,
        path: str,
        *,
        path_params: Mapping[str, object] | None = None,
        params: Mapping[str, QueryValue] | None = None,
        json: Any = None,
        signed: bool | None = None,
    ) -> Call[T]:
        """Check and serialise a call.

        Args:
            method: HTTP method.
            path: such as ``/wallets/{walletId}``.
            path_params: what to put into the placeholders.
            params: query parameters.
            json: the body; None for no body, ``{}`` for an empty object.
            signed: overrides what the API reference says of this endpoint.

        Raises:
            RequestError: path, parameters or body cannot be sent.
        """
        verb = check_method(method)
        expanded = expand(path, path_params)
        return cls(
            method=verb,
            path=expanded,
            content=b"" if json is None else to_json_bytes(json),
            params=check_query(by_name("params", params)),
            signed=needs_user_action(verb, expanded) if signed is None else signed,
        )

    @property
    def is_repeatable(self) -> bool:
        """Whether sending it twice has the effect of once.

        It does if it only reads, or carries an ``externalId`` to an endpoint where the API
        reference says that a repeated one returns what is there already.
        """
        if not is_idempotent_by_external_id(self.method, self.path):
            return self.method in {"GET", "HEAD"}
        match json.loads(self.content or b"null"):
            case {"externalId": str(external_id)}:
                return bool(external_id.strip())
        return False


def check_query(params: Mapping[str, object]) -> dict[str, QueryValue]:
    """The query parameters that are given (None is not given), of types that a query can have."""
    checked: dict[str, QueryValue] = {}
    for name, value in params.items():
        if isinstance(value, (list, tuple)):
            checked[name] = [_plain(name, element) for element in value]
        elif value is not None:
            checked[name] = _plain(name, value)
    return checked


def _plain(name: str, value: object) -> Scalar:
    """A value that is text in a URL; of a member of an enumeration, its value."""
    plain = value.value if isinstance(value, Enum) else value
    if not isinstance(plain, (str, int, float)):
        raise RequestError(
            f"the query parameter {name!r} must be a string, a number, a boolean or a list of "
            f"them, not {type(plain).__name__}"
        )
    if isinstance(plain, float) and not math.isfinite(plain):
        raise RequestError(f"the query parameter {name!r} must be a finite number, not {plain}")
    try:
        f"{name}{plain}".encode()
    except ValueError as error:
        raise RequestError(f"the query parameter {name!r} cannot be text in a URL") from error
    return plain
