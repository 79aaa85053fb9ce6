"""Requests as they arrive and answers as they leave."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

SECRET_HEADERS = frozenset({"authorization", "x-dfns-useraction"})
PLACEHOLDER = "(removed)"


@dataclass(frozen=True)
class ReceivedRequest:
    """A request that reached the emulator.

    Attributes:
        method: HTTP method.
        raw_path: the path as it was sent, percent-encoding included, without the query.
        query: the query string as it was sent.
        headers: names in lower case; tokens are replaced by a placeholder.
        body: the bytes of the body; empty when it was too large.
    """

    method: str
    raw_path: str
    query: str
    headers: Mapping[str, str]
    body: bytes = field(repr=False)


@dataclass(frozen=True)
class Incoming:
    """A request with everything that was sent, tokens included."""

    method: str
    raw_path: str
    query: str
    headers: tuple[tuple[str, str], ...] = field(repr=False)
    body: bytes = field(repr=False)
    oversized: bool = False

    def header(self, name: str) -> list[str]:
        """All values of the header of this lower-case name."""
        return [value for key, value in self.headers if key == name]

    def without_secrets(self) -> ReceivedRequest:
        """The same request as tests may see it."""
        headers: dict[str, str] = {}
        for name, value in self.headers:
            if name in SECRET_HEADERS:
                headers[name] = PLACEHOLDER
            else:
                headers[name] = f"{headers[name]}, {value}" if name in headers else value
        return ReceivedRequest(self.method, self.raw_path, self.query, headers, self.body)


@dataclass(frozen=True)
class Answer:
    """What is sent back."""

    content: bytes = field(repr=False)
    status: int = HTTPStatus.OK
    headers: Mapping[str, str] = field(default_factory=dict)
    media_type: str = "application/json"


def json_answer(
    value: Any, status: int = HTTPStatus.OK, headers: Mapping[str, str] | None = None
) -> Answer:
    """An answer with a JSON body."""
    content = json.dumps(value, separators=(",", ":")).encode("ascii")
    return Answer(content, status, dict(headers or {}))
