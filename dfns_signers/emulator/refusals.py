"""Refusals, in the error envelope that the Dfns documentation shows."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from dfns_signers.emulator.exchange import Answer, json_answer
from dfns_signers.emulator.identifiers import new_id

QUOTED_CHARACTERS = 200


class Refusal(Exception):  # noqa: N818 - a refusal is what the emulator is for, not an error of it
    """A request that is answered with an error.

    Attributes:
        status: HTTP status code.
        check: name of the check that refused; sent as ``error.details.check``.
        details: what else is sent in ``error.details``.
        headers: response headers.
    """

    def __init__(
        self,
        status: HTTPStatus,
        check: str,
        message: str,
        *,
        headers: Mapping[str, str] | None = None,
        **details: Any,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.check = check
        self.message = message
        self.details = details
        self.headers = dict(headers or {})

    def answer(self) -> Answer:
        """The refusal as the documented envelope."""
        error = {
            "id": new_id("err"),
            "status": int(self.status),
            "message": self.message,
            "details": {"check": self.check, **self.details},
        }
        return json_answer({"error": error}, self.status, self.headers)


def bad_request(check: str, message: str, **details: Any) -> Refusal:
    """400."""
    return Refusal(HTTPStatus.BAD_REQUEST, check, message, **details)


def unauthorized(check: str, message: str, **details: Any) -> Refusal:
    """401."""
    return Refusal(HTTPStatus.UNAUTHORIZED, check, message, **details)


def forbidden(check: str, message: str, **details: Any) -> Refusal:
    """403."""
    return Refusal(HTTPStatus.FORBIDDEN, check, message, **details)


def not_found(noun: str, identifier: str) -> Refusal:
    """404 for an entity."""
    return Refusal(
        HTTPStatus.NOT_FOUND, "entity", f"{noun} {quoted(identifier)} not found.", kind=noun
    )


def quoted(text: str) -> str:
    """The text in quotes, cut to a length that suits an error message."""
    if len(text) <= QUOTED_CHARACTERS:
        return f'"{text}"'
    return f'"{text[:QUOTED_CHARACTERS]}"... ({len(text)} characters)'
