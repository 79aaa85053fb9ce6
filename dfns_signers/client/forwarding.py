"""Calls that are sent on for another program: its bytes go to the API, and the API's come back."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

import httpx

from dfns_signers.client.call import Call
from dfns_signers.client.client import AsyncClient
from dfns_signers.client.http_calls import build_request, interpret
from dfns_signers.errors import RequestError, UnexpectedResponseError
from dfns_signers.sealed import Sealed
from dfns_signers.user_action.httpx_auth import UserActionAuth
from dfns_signers.user_action.request_extensions import (
    CALL_ID_EXTENSION,
    CALLER_EXTENSION,
    PROGRESS_EXTENSION,
)
from dfns_signers.user_action.responses import reject_followed_redirect
from dfns_signers.user_action.sent_requests import Progress

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class RawAnswer:
    """An answer of the API that has the form the API documents, errors included.

    Attributes:
        status: HTTP status code.
        headers: by lower-case name.
        content: UTF-8 of JSON, or of the CSV of a read, as it came, unpacked; may be empty.
    """

    status: int
    headers: Mapping[str, str]
    content: bytes = field(repr=False)


@dataclass(slots=True)
class Passage:
    """What the attempts at a forwarded call left.

    Attributes:
        answer: to the call itself, in the latest attempt; None if that got none.
        attempts: how many there were.
        secrets: tokens and challenges of all attempts, which an answer may repeat.
    """

    answer: RawAnswer | None = None
    attempts: int = 0
    secrets: list[Sealed[str]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class ForwardedCall(Call[T]):
    """A call as another program sent it.

    Attributes:
        query: sent as it is, in place of ``params``.
        headers: sent in place of those of the client of the same name.
        caller: who asked for it.
        id: names it in the audit trail.
        again: awaited before each further attempt; an error of it ends the call.
        passage: filled in as the call is sent.
    """

    query: str = field(default="", repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    caller: str | None = None
    id: str = ""
    again: Callable[[], Awaitable[None]] | None = field(default=None, repr=False, compare=False)
    passage: Passage = field(default_factory=Passage, repr=False, compare=False)

    @property
    def target(self) -> str:
        """Path and query."""
        return f"{self.path}?{self.query}" if self.query else self.path


class ForwardingClient(AsyncClient):
    """``AsyncDfnsClient`` for a ``ForwardedCall``, which ``send`` answers with a ``RawAnswer``.

    Signing, repeating, limits and errors are those of any call. After an ApiError, the passage of
    the call has the answer, if it was one to the call and not to a step of its user action.
    """

    async def _attempt(self, call: Call[Any], auth: UserActionAuth) -> Any:
        assert isinstance(call, ForwardedCall)  # noqa: S101  # for mypy
        if call.passage.attempts and call.again is not None:
            await call.again()
        call.passage.attempts += 1
        return await super()._attempt(call, auth)

    def _request_for(
        self, http: httpx.Client | httpx.AsyncClient, call: Call[Any]
    ) -> httpx.Request:
        assert isinstance(call, ForwardedCall)  # noqa: S101  # for mypy
        call.passage.answer = None
        request = build_request(
            http,
            self._auth,
            call,
            query=call.query,
            headers=call.headers,
            extensions={
                PROGRESS_EXTENSION: Progress(secrets=call.passage.secrets),
                CALLER_EXTENSION: call.caller,
                CALL_ID_EXTENSION: call.id,
            },
        )
        if request.url.raw_path != (self._auth.base_url.prefix + call.target).encode():
            raise RequestError(
                f"the target of {call.method} {call.path} has a character that must be "
                "percent-encoded in a URL"
            )
        return request

    def _result_of(
        self, response: httpx.Response, request: httpx.Request, call: Call[Any]
    ) -> RawAnswer:
        assert isinstance(call, ForwardedCall)  # noqa: S101  # for mypy
        answer = RawAnswer(response.status_code, dict(response.headers), response.content)
        call.passage.answer = answer
        if _is_csv(response) and call.method == "GET":
            reject_followed_redirect(response, request, call=True)
        else:
            interpret(response, request, call)
        if not _is_utf8(answer.content):
            error = UnexpectedResponseError(
                f"{call.method} {call.path} was answered with text that is not UTF-8"
            )
            error.may_have_taken_effect = call.method != "GET"
            raise error
        return answer


def _is_csv(response: httpx.Response) -> bool:
    """Whether it is an answer as that of the logs of user actions, the one that is not JSON."""
    media_type = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    return response.status_code == httpx.codes.OK and media_type == "text/csv"


def _is_utf8(content: bytes) -> bool:
    # UTF-16 of ASCII is UTF-8, too, with a NUL in each character.
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return b"\0" not in content
