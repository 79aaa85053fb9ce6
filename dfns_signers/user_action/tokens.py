"""The bearer token, from wherever it comes."""

from __future__ import annotations

import inspect
import re
from collections.abc import Awaitable, Callable
from typing import Final, NoReturn, TypeAlias

import anyio.to_thread

from dfns_signers.errors import ConfigurationError

TokenSource: TypeAlias = str | Callable[[], str] | Callable[[], Awaitable[str]]
"""A service account, personal access or login token; or a function that returns the current one."""

_TOKEN: Final = re.compile(r"[!-~]+")


class BearerToken:
    """Reads the token anew for each call, so that a provider can rotate it.

    Args:
        source: the token, or a function that returns it (a coroutine function for asynchronous
            clients only).

    Raises:
        ConfigurationError: a string that cannot be a token. It is not repeated.
    """

    __slots__ = ("_source",)

    def __init__(self, source: TokenSource) -> None:
        self._source = source if callable(source) else _check(source)

    def read(self) -> str:
        """The token of this moment; ConfigurationError if the provider returned none."""
        if isinstance(self._source, str):
            return self._source
        token = self._source()
        if inspect.isawaitable(token):
            if inspect.iscoroutine(token):
                token.close()
            raise ConfigurationError(
                "the token provider is a coroutine function: it needs an asynchronous client"
            )
        return _check(token)

    async def aread(self) -> str:
        """Like ``read``; a plain function runs in a worker thread, for it may block."""
        if isinstance(self._source, str):
            return self._source
        if inspect.iscoroutinefunction(self._source):
            return _check(await self._source())
        token = await anyio.to_thread.run_sync(self._source)
        return _check(await token if inspect.isawaitable(token) else token)

    def __repr__(self) -> str:
        return "<BearerToken>"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a token does not pickle: make the client in the process that uses it")


def _check(token: object) -> str:
    if not isinstance(token, str):
        raise ConfigurationError(f"the token must be a string, not {type(token).__name__}")
    stripped = token.strip()
    if not _TOKEN.fullmatch(stripped):
        found = "empty" if not stripped else "malformed: it has spaces or other odd characters"
        raise ConfigurationError(f"the auth token is {found}; expected the token as Dfns issued it")
    return stripped
