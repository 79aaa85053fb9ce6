"""The one form of requests that the gateway takes: anything else is refused, not normalised."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, TypeAlias

from dfns_signers.gateway.requests.messages import Incoming, Peer, Refusal
from dfns_signers.user_action.bodies import strict_json

Headers: TypeAlias = Sequence[tuple[bytes, bytes]]

READ_ON: Final = 8 * 2**20
"""Bytes of a refused body that are read and dropped, so that its sender gets to the answer."""

PIECE: Final = 4096
"""Bytes of a body that count as a request: at worst they take as long to parse as a call takes."""

_METHODS: Final = frozenset({"GET", "POST", "PUT", "DELETE"})
# What the path of a call may have, and no percent sign: no identifier of Dfns needs one.
_TARGET: Final = re.compile(rb"((?:/[A-Za-z0-9._~-]+)+)(?:\?([!-\"$-~]+))?")
_DOTS: Final = frozenset({b".", b".."})
_VALUE: Final = re.compile(rb"[\t -~]*")
_LENGTH: Final = re.compile(rb"\d{1,18}")
_JSON: Final = re.compile(r'application/json(?:[ \t]*;[ \t]*charset="?utf-8"?)?', re.IGNORECASE)
_OF_BROWSERS: Final = re.compile(r"origin|cookie2?|sec-fetch-.*")
_TRAILERS: Final = frozenset({b"trailer", b"trailers"})


async def read_request(
    scope: Mapping[str, Any],
    receive: Any,
    peer: Peer,
    *,
    max_body: int,
    hosts: frozenset[str],
    admit: Callable[[Incoming], object],
) -> Incoming:
    """Read a request off ASGI.

    Args:
        scope: of ASGI, type ``http``; of a server that leaves path and query as they came.
        receive: of ASGI.
        peer: who sent it.
        max_body: bytes.
        hosts: values that ``Host`` may have, in lower case.
        admit: sees the request without its body, then again with one of a ``PIECE`` or more, and
            may raise ``Refusal``: a body is parsed for those alone who may ask for something.

    Raises:
        Refusal: 400, 403, 405, 413, 415, 417 or 421, or that of ``admit``.
    """
    path, query = scope["raw_path"], scope["query_string"]
    target = path + b"?" + query if query else path
    try:
        headers = check_head(scope["method"], target, scope["headers"], hosts)
        incoming = Incoming(
            scope["method"], path.decode("ascii"), query.decode("ascii"), headers, b"", peer
        )
        admit(incoming)
    except Refusal as refusal:
        if _expects_to_go_on(scope["headers"]):
            refusal.closes = True
        elif not refusal.closes:
            await _dropped(receive, refusal)
        raise
    incoming = replace(incoming, body=await _read(receive, max_body))
    if len(incoming.body) >= PIECE:
        admit(incoming)
    _check_body(incoming)
    return incoming


def check_head(
    method: str, target: bytes, headers: Headers, hosts: frozenset[str]
) -> dict[str, str]:
    """Refuse all that has another form than the gateway takes.

    Args:
        method: as it came.
        target: of the request line, as it came.
        headers: names in lower case, and values.
        hosts: as for ``read_request``.

    Returns:
        The headers by name.

    Raises:
        Refusal: 400, 403, 405, 415, 417 or 421.
    """
    check_headers(headers)
    by_name = {name.decode("ascii"): value.decode("ascii") for name, value in headers}
    if method not in _METHODS:
        raise Refusal(405, "method", "the API has no such method: GET, POST, PUT or DELETE")
    _check_target(target)
    _check_host(by_name, hosts)
    if any(_OF_BROWSERS.fullmatch(name) for name in by_name):
        raise Refusal(403, "browser", "the gateway serves no browsers: Origin, Cookie or Sec-Fetch")
    _check_types(by_name)
    if by_name.get("expect", "100-continue").lower() != "100-continue":
        raise Refusal(417, "expect", "the Expect header has another value than 100-continue")
    return by_name


def check_headers(headers: Headers) -> None:
    """Refuse headers that two readers could understand in two ways.

    Args:
        headers: names in lower case, and values, as they came; none of a name must be merged.

    Raises:
        Refusal: 400.
    """
    counted = Counter(name for name, _ in headers)
    values = dict(headers)
    if any(count > 1 for count in counted.values()):
        raise _ambiguous("a header is given twice")
    if b"transfer-encoding" in values:
        if b"content-length" in values:
            raise _ambiguous("both Content-Length and Transfer-Encoding are given")
        if values[b"transfer-encoding"].lower() != b"chunked":
            raise _ambiguous("the Transfer-Encoding is not 'chunked'")
    if not _LENGTH.fullmatch(values.get(b"content-length", b"0")):
        raise _ambiguous("the Content-Length is not a number")
    if not all(_VALUE.fullmatch(value) for value in values.values()):
        raise _ambiguous("a header is not ASCII")
    if not _TRAILERS.isdisjoint(values):
        raise _ambiguous("the request announces trailers")


def _ambiguous(what: str) -> Refusal:
    return Refusal(400, "headers", what, closes=True)


def split_target(target: str) -> tuple[str, str]:
    """Path and query of a target in the form that requests have.

    Raises:
        Refusal: 400, it is in another form.
    """
    _check_target(target.encode("utf-8", "replace"))
    path, _, query = target.partition("?")
    return path, query


def _check_target(target: bytes) -> None:
    match = _TARGET.fullmatch(target)
    if match is None or not _DOTS.isdisjoint(match[1].split(b"/")):
        raise Refusal(
            400,
            "target",
            "expected a path of segments of letters, digits, '-', '.', '_' and '~', each behind "
            "one '/', none empty, '.' or '..' (so no '/' at the end), and a query of printable "
            "ASCII if there is a '?'",
        )


def _check_host(headers: Mapping[str, str], hosts: frozenset[str]) -> None:
    if "host" not in headers:
        raise Refusal(400, "host", "the Host header is missing")
    if headers["host"].lower() not in hosts:
        raise Refusal(
            421,
            "host",
            "the Host header is not an address of this gateway: use one of 'listen', or add a name "
            "to 'hosts' in [gateway]",
        )


def _check_types(headers: Mapping[str, str]) -> None:
    if "content-encoding" in headers:
        raise Refusal(415, "content-encoding", "the gateway takes no encoded bodies")
    if not _JSON.fullmatch(headers.get("content-type", "application/json")):
        raise Refusal(415, "content-type", "the Content-Type is not application/json in UTF-8")


def _check_body(incoming: Incoming) -> None:
    if not incoming.body:
        return
    if incoming.method == "GET":
        raise Refusal(400, "body", "a GET request has no body")
    if "content-type" not in incoming.headers:
        raise Refusal(415, "content-type", "the Content-Type is missing: application/json")
    try:
        value = strict_json(incoming.body)
    except ValueError as error:
        raise Refusal(400, "body", f"the body is not strict JSON: {error}") from error
    if not isinstance(value, dict):
        raise Refusal(400, "body", "the body is not a JSON object")


def _expects_to_go_on(headers: Headers) -> bool:
    return any(name == b"expect" for name, _ in headers)


async def _read(receive: Any, most: int) -> bytes:
    """The body, if it is no longer than ``most`` bytes."""
    body = bytearray()
    async for piece in _pieces(receive):
        body += piece
        if len(body) > most:
            refusal = Refusal(413, "body-size", f"the body is over {most} bytes", closes=True)
            await _dropped(receive, refusal)
            raise refusal
    return bytes(body)


async def _dropped(receive: Any, refusal: Refusal) -> None:
    """Read on to the end of the body, or so far that the connection cannot go on."""
    length = 0
    async for piece in _pieces(receive):
        length += len(piece)
        if length > READ_ON:
            refusal.closes = True
            return


async def _pieces(receive: Any) -> AsyncIterator[bytes]:
    while True:
        message = await receive()
        if message["type"] != "http.request":
            raise Refusal(400, "body", "the request ended before its body", closes=True)
        yield message.get("body", b"")
        if not message.get("more_body"):
            return
