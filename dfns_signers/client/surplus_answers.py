"""A connection over which more came than was asked for is not used again.

What is left of it would be taken for the answer to the next request: nobody else's answer may be a
call's result.
"""

from __future__ import annotations

from typing import Any

import httpcore


class SurplusCheck:
    """Looks for bytes that an HTTP/1.1 connection received and no request asked for.

    Args:
        pool: of httpcore, that the connection belongs to.
    """

    def __init__(self, pool: Any) -> None:
        self._pool = pool
        self._parser: Any = None  # of h11, once the connection has one

    def require_none(self, stream: object) -> None:
        """Refuse to write a request to a stream on which an answer is already waiting.

        Raises:
            httpcore.ConnectError: there is one. As nothing was sent, the request may be sent again
                over another connection.
        """
        self._parser = self._parser or _parser_of(self._pool, stream)
        if self._parser is not None and self._parser.trailing_data[0]:
            raise httpcore.ConnectError("the server sent more than it was asked for before")


def _parser_of(pool: Any, stream: object) -> Any:
    # httpcore has no public way from a stream to the parser that reads it.
    for connection in pool.connections if pool else ():
        inner = connection
        while inner is not None and not hasattr(inner, "_h11_state"):
            inner = getattr(inner, "_connection", None)
        if inner is not None and inner._network_stream is stream:  # noqa: SLF001
            return inner._h11_state  # noqa: SLF001
    return None
