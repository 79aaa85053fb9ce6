"""The one form of requests that the gateway takes: anything else is refused, not normalised."""

from __future__ import annotations

import re
from typing import Any, Final

from dfns_signers.gateway.messages import Incoming, Peer, Refusal

_TARGET: Final = re.compile(r"(?:/[A-Za-z0-9._~:@-]+)+(?:\?[!\"$-~]*)?")


async def read_request(
    scope: dict[str, Any], receive: Any, peer: Peer, *, max_body: int, hosts: frozenset[str]
) -> Incoming:
    """Read a request off ASGI.

    Args:
        scope: of ASGI, type ``http``.
        receive: of ASGI.
        peer: who sent it.
        max_body: bytes.
        hosts: values that ``Host`` may have, in lower case.

    Raises:
        Refusal: 400, 403, 413, 415 or 421.
    """
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
    if headers.get("host", "").lower() not in hosts:
        raise Refusal(421, "host", "the Host header is not an address of this gateway")
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] != "http.request":
            raise Refusal(400, "body", "the request ended before its body")
        body += message.get("body", b"")
        if len(body) > max_body:
            raise Refusal(413, "body-size", f"the body is over {max_body} bytes")
        if not message.get("more_body"):
            break
    return Incoming(
        scope["method"],
        scope["raw_path"].decode("latin-1"),
        scope["query_string"].decode("latin-1"),
        headers,
        bytes(body),
        peer,
    )


def split_target(target: str) -> tuple[str, str]:
    """Path and query of a target in the form that requests have.

    Raises:
        Refusal: 400, it is in another form.
    """
    if _TARGET.fullmatch(target) is None or {".", ".."} & set(target.partition("?")[0].split("/")):
        raise Refusal(400, "target", "the path is not in the form that the gateway takes")
    path, _, query = target.partition("?")
    return path, query
