"""Which handler answers which method and path.

Paths are matched as they were sent: ``%2F`` inside a segment does not end the segment.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Final, Literal, TypeAlias
from urllib.parse import parse_qsl, unquote

from dfns_signers.emulator.access.identities import AccessToken
from dfns_signers.emulator.requests.fields import Check, anything, where_present
from dfns_signers.emulator.requests.messages import (
    QUOTED_CHARACTERS,
    Answer,
    Refusal,
    bad_request,
    quoted,
    shortened,
)
from dfns_signers.emulator.requests.shape_checks import body_check, lists_in_query, query_check
from dfns_signers.emulator.state import Record, State
from dfns_signers.errors import ConfigurationError
from dfns_signers.near_miss import did_you_mean
from dfns_signers.operations import Operation, find_operation, match_operation, path_hint

METHODS: Final = ("DELETE", "GET", "POST", "PUT")
Access: TypeAlias = Literal["token", "open", "registration", "recovery"]
"""Who may call: a token of a user or a service account, anybody, or the
``temporaryAuthenticationToken`` of a registration or a recovery."""


@dataclass(frozen=True, slots=True)
class Call:
    """A request that passed every check that does not depend on its meaning."""

    state: State
    bearer: AccessToken | None
    route: Route
    path: str
    parameters: Mapping[str, str]
    query: Mapping[str, str]
    body: Any

    @property
    def token(self) -> AccessToken:
        """The caller's bearer token; routes whose access is ``open`` have none."""
        if self.bearer is None:
            raise LookupError(f"{self.route.operation} is called without a bearer token")
        return self.bearer

    @property
    def requester(self) -> dict[str, str]:
        """The caller as answers name it."""
        return {"userId": self.token.user.user_id, "tokenId": self.token.token_id}


@dataclass(frozen=True, slots=True)
class Route:
    """How one operation of the API is answered.

    Attributes:
        method: HTTP method.
        template: path with ``{placeholders}``.
        handler: the JSON to answer the call with, or an answer of another status than 200.
        body: what the parsed body must be beside its declared shape.
        query: what query parameters must be beside their declared shapes.
        entity: what the operation changes, as change requests name it.
        session_operation: name of the operation if it requires the login session of a user.
        access: whose bearer token it takes.
    """

    method: str
    template: str
    handler: Callable[[Call], Record | Answer]
    body: Check = anything
    query: Mapping[str, Check] = field(default_factory=dict)
    entity: str = ""
    session_operation: str = ""
    access: Access = "token"

    @property
    def operation(self) -> Operation:
        """The operation of the table."""
        found = find_operation(self.method, self.template)
        if found is None:
            raise LookupError(f"the table has no operation {self.method} {self.template}")
        return found

    @property
    def takes_user_action(self) -> bool:
        """Whether ``X-DFNS-USERACTION`` is required."""
        return self.operation.signed

    def check_body(self, body: Any) -> None:
        """Refuse a body that the API does not take."""
        body_check(self.operation)("", body)
        self.body("", body)

    def parsed_query(self, query: str) -> Mapping[str, str]:
        """The query parameters, lists with commas; refused if the API does not take them."""
        parameters: dict[str, str] = {}
        for name, value in parse_qsl(query, keep_blank_values=True):
            if name not in parameters:
                parameters[name] = value
            elif name in lists_in_query(self.operation):
                parameters[name] += f",{value}"
            else:
                raise bad_request("query.repeated", "A query parameter is given more than once.")
        query_check(self.operation)("query", parameters)
        where_present(self.query)("query", parameters)
        return parameters


class Router:
    """All operations that are answered."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self._routes = {route.operation: route for route in routes}

    @property
    def routes(self) -> tuple[Route, ...]:
        """Every route."""
        return tuple(self._routes.values())

    def match(self, method: str, raw_path: str) -> tuple[Route, dict[str, str]]:
        """The route of a request and its path parameters; refused with 404 or 405."""
        found = self._route(method, raw_path)
        if found:
            parameters = found.operation.parameters(raw_path)
            return found, {name: unquote(value) for name, value in parameters.items()}
        methods = [other for other in METHODS if self._route(other, raw_path)]
        if not methods:
            raise Refusal(
                HTTPStatus.NOT_FOUND,
                "path",
                f"No such path in this emulator: {quoted(raw_path)}{_hint(method, raw_path)}.",
            )
        allowed = ", ".join(methods)
        raise Refusal(
            HTTPStatus.METHOD_NOT_ALLOWED,
            "method",
            f"{shortened(method)} is not allowed here; allowed: {allowed}.{_of_a_page(method)}",
            headers={"Allow": allowed},
        )

    def named(self, method: str, template: str) -> Route:
        """The route of a method and template; the names of placeholders do not matter.

        Raises:
            ConfigurationError: there is none.
        """
        operation = find_operation(method, template)
        if operation in self._routes:
            return self._routes[operation]
        hint = did_you_mean(template, {r.template for r in self.routes if r.method == method})
        raise ConfigurationError(
            f"the emulator has no operation {method} {template}"
            f"{hint or '; docs/emulator-operations.md lists those that it has'}"
        )

    def _route(self, method: str, raw_path: str) -> Route | None:
        operation = match_operation(method, raw_path)
        return self._routes.get(operation) if operation else None


def _of_a_page(method: str) -> str:
    """A browser asks so whether a page of another origin may call."""
    if method != "OPTIONS":
        return ""
    return " Pages may call from the origins of --cors-origin, or Emulator(cors_origins=...)."


def _hint(method: str, raw_path: str) -> str:
    """A near miss; looking for it takes quadratic time, and paths of the API are short."""
    if raw_path == "/":
        return "; the page of its requests is at /_emulator"
    return path_hint(method, raw_path) if len(raw_path) <= QUOTED_CHARACTERS else ""
