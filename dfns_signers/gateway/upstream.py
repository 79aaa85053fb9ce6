"""Towards Dfns: calls are sent on byte for byte, and answers come back without secrets."""

from __future__ import annotations

import re
import time
from collections.abc import Awaitable, Callable
from typing import Any, Final

from dfns_signers.bounded_json import bounded_json
from dfns_signers.client.forwarding import ForwardedCall, ForwardingClient, Passage, RawAnswer
from dfns_signers.errors import ApiError, DfnsSignersError
from dfns_signers.gateway.redaction import Redaction
from dfns_signers.gateway.requests.failures import advice, refusal_of
from dfns_signers.gateway.requests.messages import Answer, Incoming, Refusal, json_answer
from dfns_signers.gateway.requests.observing import Exchange
from dfns_signers.user_action.endpoints import needs_user_action

_SENT_ON: Final = ("accept", "content-type", "user-agent", "x-dfns-sdk-version")
_ANSWERED: Final = ("content-type", "retry-after", "x-request-id")
_UNAUTHORIZED: Final = 401
_SERVER_ERROR: Final = 500
_PRINTABLE: Final = re.compile(r"[ -~]{1,256}")
_HANDS_OUT: Final = re.compile(
    rb'"(?:accessToken|actionToken|clientSecret|encryptedPrivateKey|idToken|secret'
    rb'|temporaryAuthenticationToken|token)"\s*:\s*"'
)
"""Members of declared answers of the API that give power to those who have them."""


class Upstream:
    """The API that the gateway stands before.

    Args:
        client: with the token, the signer and the limits of the profile.
    """

    def __init__(self, client: ForwardingClient) -> None:
        self._client = client

    async def send(
        self, incoming: Incoming, exchange: Exchange, again: Callable[[], Awaitable[None]]
    ) -> Answer:
        """Announce, sign and exchange where the call needs it, and send it on.

        Args:
            incoming: what to send.
            exchange: names caller and attempt; gets the time, and whether the answer is secret.
            again: counts a further attempt, before it is made.

        Raises:
            Refusal: 400, 403, 429, 502, 503 or 504, where no answer may be passed on.
        """
        call: ForwardedCall[Any] = ForwardedCall(
            incoming.method,
            incoming.path,
            incoming.body,
            signed=needs_user_action(incoming.method, incoming.path),
            query=incoming.query,
            headers={n: incoming.headers[n] for n in _SENT_ON if n in incoming.headers},
            caller=exchange.caller,
            id=exchange.id,
            again=again,
        )
        began = time.monotonic()
        try:
            answer = _passed_on(await self._client.send(call), call.passage)
        except ApiError as error:
            answer = _of_error(error, call.passage)
        except DfnsSignersError as error:
            raise refusal_of(error) from error
        finally:
            exchange.upstream_seconds = time.monotonic() - began
        exchange.has_secret_answer = _HANDS_OUT.search(answer.body) is not None
        return answer

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.aclose()


def _of_error(error: ApiError, passage: Passage) -> Answer:
    """What is answered where the API refused the call, or a step of its user action."""
    if error.status == _UNAUTHORIZED:
        # For a caller, this status means that the gateway does not know it.
        raise _refusal(error, 502, "unauthorized", "Dfns does not accept the gateway")
    if error.status >= _SERVER_ERROR:
        status = 502 if error.may_have_taken_effect else 503
        raise _refusal(error, status, "error", f"Dfns failed with status {error.status}")
    if error.may_have_taken_effect:  # of which the answer to the latest attempt says nothing
        raise refusal_of(error) from error
    if passage.answer is None:
        return _of_step(error, passage)
    if passage.answer.content and not _is_json(passage.answer.content):
        raise refusal_of(error) from error
    return _passed_on(passage.answer, passage)


def _refusal(error: ApiError, status: int, what: str, message: str) -> Refusal:
    return Refusal(
        status,
        f"upstream-{what}",
        f"{message}; {advice(uncertain=error.may_have_taken_effect)}",
        retry_after=error.retry_after,
        may_have_taken_effect=error.may_have_taken_effect,
        detail=str(error),
    )


def _passed_on(raw: RawAnswer, passage: Passage) -> Answer:
    redaction = _redaction(passage)
    headers = {
        name: redaction.of_text(raw.headers[name]) for name in _ANSWERED if name in raw.headers
    }
    printable = {n: value for n, value in headers.items() if _PRINTABLE.fullmatch(value)}
    return Answer(raw.status, printable, redaction.of_bytes(raw.content))


def _of_step(error: ApiError, passage: Passage) -> Answer:
    """The envelope of an error that a step of the user action was answered with."""
    envelope = {
        "id": error.error_id,
        "status": error.status,
        "message": str(error),
        "details": error.details,
    }
    given = {name: value for name, value in envelope.items() if value is not None}
    answer = json_answer(error.status, {"error": given})
    asked = {n: value for n, value in error.headers.items() if n == "retry-after"}
    return _passed_on(RawAnswer(error.status, {**answer.headers, **asked}, answer.body), passage)


def _redaction(passage: Passage) -> Redaction:
    return Redaction(secret.open() for secret in passage.secrets)


def _is_json(content: bytes) -> bool:
    try:
        bounded_json(content)
    except ValueError:
        return False
    return b"\0" not in content
