"""Which handler answers which method and path.

Paths are matched as they were sent: ``%2F`` inside a segment does not end the segment.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import unquote

from dfns_signers.emulator.fields import Check, members
from dfns_signers.emulator.identities import AccessToken
from dfns_signers.emulator.messages import Answer, Refusal, quoted, shortened
from dfns_signers.emulator.state import Record, State
from dfns_signers.errors import ConfigurationError
from dfns_signers.near_miss import did_you_mean

_PLACEHOLDER: Final = re.compile(r"\{[^{}/]*\}")
NOTHING: Final = members()


@dataclass(frozen=True, slots=True)
class Call:
    """A request that passed every check that does not depend on its meaning."""

    state: State
    token: AccessToken
    route: Route
    path: str
    parameters: Mapping[str, str]
    query: Mapping[str, str]
    body: Any

    @property
    def requester(self) -> dict[str, str]:
        """The caller as answers name it."""
        return {"userId": self.token.user.user_id, "tokenId": self.token.token_id}


@dataclass(frozen=True, slots=True)
class Route:
    """One operation of the API.

    Attributes:
        method: HTTP method.
        template: path with ``{placeholders}``.
        handler: the JSON to answer the call with, or an answer of another status than 200.
        body: check of the parsed body; by default the body is empty or ``{}``.
        query: checks of the query parameters that are known.
        signed: whether the call takes a user action; a GET never does.
        entity: what the operation changes, as change requests name it.
        session_operation: name of the operation if it requires the login session of a user.
    """

    method: str
    template: str
    handler: Callable[[Call], Record | Answer]
    body: Check = NOTHING
    query: Mapping[str, Check] = field(default_factory=dict)
    signed: bool = True
    entity: str = ""
    session_operation: str = ""

    @property
    def takes_user_action(self) -> bool:
        """Whether ``X-DFNS-USERACTION`` is required."""
        return self.signed and self.method != "GET"

    def parameters(self, raw_path: str) -> dict[str, str] | None:
        """The decoded path parameters; None when the path is of another route."""
        wanted, found = self.template.split("/"), raw_path.split("/")
        if len(wanted) != len(found):
            return None
        parameters = {}
        for template, segment in zip(wanted, found, strict=True):
            if _PLACEHOLDER.fullmatch(template) and segment:
                parameters[template[1:-1]] = unquote(segment)
            elif template != segment:
                return None
        return parameters


class Router:
    """All operations of the API."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self.routes = tuple(routes)

    def match(self, method: str, raw_path: str) -> tuple[Route, dict[str, str]]:
        """The route of a request and its path parameters; refused with 404 or 405."""
        methods = set()
        for route in self.routes:
            parameters = route.parameters(raw_path)
            if parameters is None:
                continue
            if route.method == method:
                return route, parameters
            methods.add(route.method)
        if not methods:
            raise Refusal(
                HTTPStatus.NOT_FOUND, "path", f"No such path in this emulator: {quoted(raw_path)}."
            )
        allowed = ", ".join(sorted(methods))
        raise Refusal(
            HTTPStatus.METHOD_NOT_ALLOWED,
            "method",
            f"{shortened(method)} is not allowed here; allowed: {allowed}.",
            headers={"Allow": allowed},
        )

    def named(self, method: str, template: str) -> Route:
        """The route of a method and template; the names of placeholders do not matter.

        Raises:
            ConfigurationError: there is none.
        """
        for route in self.routes:
            if route.method == method and _shape(route.template) == _shape(template):
                return route
        hint = did_you_mean(template, {r.template for r in self.routes if r.method == method})
        listed = ", ".join(sorted(f"{route.method} {route.template}" for route in self.routes))
        raise ConfigurationError(
            f"the emulator has no operation {method} {template}{hint or f'; it has {listed}'}"
        )


def _shape(template: str) -> str:
    return _PLACEHOLDER.sub("{}", template)
