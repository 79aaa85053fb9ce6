"""The bearer token, from wherever it comes."""

from __future__ import annotations

import inspect
import re
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Final, NoReturn, TypeAlias

from dfns_signers import worker_threads
from dfns_signers.errors import ConfigurationError, DfnsSignersError, TokenProviderError

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
        """The token of this moment.

        Raises:
            TokenProviderError: the provider failed.
            ConfigurationError: it returned no token.
        """
        if isinstance(self._source, str):
            return self._source
        with _failures_of(self._source):
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
        with _failures_of(self._source):
            if inspect.iscoroutinefunction(self._source):
                token: object = self._source()
            else:
                token = await worker_threads.run(self._source)
            if inspect.isawaitable(token):
                token = await token
        return _check(token)

    def __repr__(self) -> str:
        return "<BearerToken>"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a token does not pickle: make the client in the process that uses it")


@contextmanager
def _failures_of(provider: object) -> Iterator[None]:
    try:
        yield
    except DfnsSignersError:
        raise
    except Exception as error:
        # Without the text of the error, which may repeat a secret.
        name = getattr(provider, "__qualname__", type(provider).__qualname__)
        raise TokenProviderError(
            f"the token provider {name} failed with {type(error).__name__}; nothing was sent"
        ) from error


def _check(token: object) -> str:
    if not isinstance(token, str):
        raise ConfigurationError(f"the token must be a string, not {type(token).__name__}")
    stripped = token.strip()
    if not _TOKEN.fullmatch(stripped):
        found = "empty" if not stripped else "malformed: it has spaces or other odd characters"
        raise ConfigurationError(f"the auth token is {found}; expected the token as Dfns issued it")
    return stripped
