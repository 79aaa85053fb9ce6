"""One API call as data: what to send, and what type answers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeAlias, TypeVar

from dfns_signers.user_action.bodies import to_json_bytes
from dfns_signers.user_action.endpoints import needs_user_action
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
    """

    method: str
    path: str
    content: bytes = field(default=b"", repr=False)
    params: Mapping[str, QueryValue] = field(default_factory=dict)
    signed: bool = False

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
        verb = method.upper()
        expanded = expand(path, path_params)
        return cls(
            method=verb,
            path=expanded,
            content=b"" if json is None else to_json_bytes(json),
            params={k: v for k, v in (params or {}).items() if v is not None},
            signed=needs_user_action(verb, expanded) if signed is None else signed,
        )

    @property
    def is_repeatable(self) -> bool:
        """Whether sending it twice has the effect of once: it reads, or has an ``externalId``."""
        return self.method in {"GET", "HEAD"} or self._has_external_id()

    def _has_external_id(self) -> bool:
        if b'"externalId"' not in self.content:
            return False
        body = json.loads(self.content)
        return isinstance(body, dict) and bool(body.get("externalId"))
