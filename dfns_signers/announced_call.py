"""The API call that a user action is for, as a value."""

from __future__ import annotations

import os
from dataclasses import dataclass, field


def new_call_id() -> str:
    """Sixteen random bytes in hexadecimal: what names one attempt at a call."""
    return os.urandom(16).hex()


def names_in_query(query: str) -> list[str]:
    """The names of parameters as they are written, a hundred at most, for records and not rules."""
    return [part.partition("=")[0] for part in query.split("&") if part][:100]


@dataclass(frozen=True, slots=True)
class AnnouncedCall:
    """The API call that a user action is for.

    Attributes:
        method: upper-case HTTP method.
        path: percent-encoded path without query and without the prefix of the base URL.
        payload: the request body as text, exactly as it will be sent; ``""`` for no body.
        query: percent-encoded query, which is not announced; ``""`` for none.
        caller: who asked a gateway for it; None for the program itself.
        id: names this attempt in the audit trail; random.
    """

    method: str
    path: str
    payload: str = field(repr=False)
    query: str = field(default="", repr=False, compare=False)
    caller: str | None = field(default=None, compare=False)
    id: str = field(default_factory=new_call_id, repr=False, compare=False)

    @property
    def segments(self) -> tuple[str, ...]:
        """The segments of the path, decoded: ``("wallets", "wa-1", "transfers")``."""
        from urllib.parse import unquote  # noqa: PLC0415  # few ask

        return tuple(unquote(segment) for segment in self.path.split("/")[1:])


@dataclass(frozen=True, slots=True)
class CallAnswer:
    """What came of a call after its challenge was signed.

    Attributes:
        status: HTTP status of the answer to the call, or of that which refused its user action;
            None where there is none.
        error: type of the exception where there is no answer, such as ``ReadTimeout``, or
            ``no answer`` where that is not known, as with ``httpx.AsyncClient``;
            ``SigningCancelledError`` where nobody waited for the signature, and nothing was sent.
        error_id: ``error.id`` of the answer, where it was read.
        seconds: from the announcement to the answer; for the signature, where nothing was sent.
        may_have_taken_effect: whether the API may have carried the call out although there is no
            answer that says so.
    """

    status: int | None
    error: str | None
    error_id: str | None
    seconds: float
    may_have_taken_effect: bool
