"""What bounds an answer of AWS: its size, and the time that an operation has left."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, cast

from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.client import BaseClient
from botocore.exceptions import ConnectionClosedError, ReadTimeoutError
from botocore.httpsession import URLLib3Session
from urllib3.exceptions import HTTPError
from urllib3.exceptions import ReadTimeoutError as SocketTimeoutError

from dfns_signers.plugin import check_nesting, deadlines

MAX_ANSWER: Final = 1 << 20
"""Bytes; a page of ListKeys, the longest answer that is asked for, has about 150,000."""

MAX_ERROR: Final = 1 << 16
"""Bytes of an answer with a status of 300 and up."""

_WITHOUT_BODY: Final = {204, 304}
_PIECE: Final = 1 << 16
_SESSION_HEADER: Final = "X-Amz-Security-Token"

# Those of AWS have hundreds of characters; what is short may be part of any word.
_SHORTEST_TOKEN: Final = 16


class AnswerError(Exception):
    """An answer is none of AWS KMS or AWS STS.

    It is too long, nested too deeply, or has a status that allows no body.
    """


class BoundedHttp:
    """Sends requests as botocore does, and reads no more of an answer than its bounds allow.

    Args:
        http: botocore's own, with its pool of connections.
        read_timeout: seconds between two pieces of an answer, whatever time is left.
        keeps_connections: False closes them after each answer.
    """

    def __init__(
        self, http: URLLib3Session, read_timeout: float, *, keeps_connections: bool = True
    ) -> None:
        self._http = http
        self._read_timeout = read_timeout
        self._keeps_connections = keeps_connections

    def send(self, request: AWSPreparedRequest) -> AWSResponse:
        """Send a request, and read its answer.

        Raises:
            ReadTimeoutError, ConnectionClosedError: as botocore does.
            AnswerError: the answer is too long, nested too deeply, or has no body by its status.
        """
        request.stream_output = True  # the body is left to us
        # Before 1.44, botocore does not read this, and waits for the head up to its own limit.
        context = getattr(request, "context", None) or {}
        setattr(request, "context", {**context, "read_timeout": self._wait(request)})  # noqa: B010
        response = self._http.send(request)
        try:
            response.raw = _Read(self._read(request, response))
        except SocketTimeoutError as error:
            raise _too_late(request, error) from error
        except HTTPError as error:
            raise _cut(request, error) from error
        finally:
            if not isinstance(response.raw, _Read):
                response.raw.close()
            if not self._keeps_connections:
                self.close()
        return _masked(request, response)

    def close(self) -> None:
        """Close the connections that are not in use."""
        self._http.close()

    def _read(self, request: AWSPreparedRequest, response: AWSResponse) -> bytes:
        # What follows on the connection would be taken for the answer to the next request.
        if response.status_code < 200 or response.status_code in _WITHOUT_BODY:  # noqa: PLR2004
            raise AnswerError(f"its status is {response.status_code}")
        limit = MAX_ANSWER if response.status_code < 300 else MAX_ERROR  # noqa: PLR2004
        body = bytearray()
        while piece := self._piece(request, response.raw):
            body += piece
            if len(body) > limit:
                raise AnswerError(f"it has more than {limit:,} bytes")
        if response.raw.length_remaining:
            raise _cut(request, EOFError(f"{response.raw.length_remaining} bytes are missing"))
        try:
            check_nesting(body.decode("utf-8", "replace"))
        except ValueError as error:
            raise AnswerError(f"it is {error}") from None
        return bytes(body)

    def _piece(self, request: AWSPreparedRequest, raw: Any) -> bytes:
        wait = self._wait(request)
        socket = getattr(raw.connection, "sock", None)  # None where the answer ends the connection
        if socket is not None:
            socket.settimeout(wait)
        return cast("bytes", raw.read1(_PIECE))

    def _wait(self, request: AWSPreparedRequest) -> float:
        """Seconds to wait for the next piece."""
        try:
            return deadlines.at_most(self._read_timeout) or self._read_timeout
        except TimeoutError as error:
            raise _too_late(request, error) from error


class BoundsAnswers(BaseClient):
    """Base of the classes of clients whose answers are bounded; see ``bound_answers``.

    Their ``User-Agent`` is the same for all requests.
    """

    def __init__(
        self,
        *,
        endpoint: Any,
        client_config: Any,
        service_model: Any,
        user_agent_creator: Any,
        **rest: Any,
    ) -> None:
        endpoint.http_session = BoundedHttp(
            endpoint.http_session,
            client_config.read_timeout,
            # Others are asked for credentials, and nobody closes them.
            keeps_connections=service_model.service_name == "kms",
        )
        # botocore would assemble it twice for each request, in a tenth of the time that it takes.
        user_agent = user_agent_creator.to_string()
        user_agent_creator.to_string = lambda: user_agent
        super().__init__(
            endpoint=endpoint,
            client_config=client_config,
            service_model=service_model,
            user_agent_creator=user_agent_creator,
            **rest,
        )


def bound_answers(**event: Any) -> None:
    """Handle botocore's event ``creating-client-class``."""
    bases: list[type] = event["base_classes"]
    if BoundsAnswers not in bases:
        bases.insert(0, BoundsAnswers)


class _Read:
    """A body that was read, where botocore expects one to read."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    def stream(self) -> Iterator[bytes]:
        yield self._body


def _masked(request: AWSPreparedRequest, response: AWSResponse) -> AWSResponse:
    """An answer without the session token, which a server may repeat in what it says."""
    token = _text(request.headers.get(_SESSION_HEADER, ""))
    if len(token) >= _SHORTEST_TOKEN:
        body = b"".join(response.raw.stream())
        response.raw = _Read(body.replace(token.encode(), b"***"))
        for name, value in list(response.headers.items()):
            response.headers[name] = value.replace(token, "***")
    return response


def _text(value: str | bytes) -> str:
    return value if isinstance(value, str) else value.decode()


def _too_late(request: AWSPreparedRequest, error: Exception) -> ReadTimeoutError:
    return ReadTimeoutError(endpoint_url=request.url, error=error)


def _cut(request: AWSPreparedRequest, error: Exception) -> ConnectionClosedError:
    return ConnectionClosedError(endpoint_url=request.url, request=request, error=error)
