"""The bearer token, from wherever it comes."""

from __future__ import annotations

import inspect
import re
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final, TypeAlias

from dfns_signers import deadlines, worker_threads
from dfns_signers.errors import ConfigurationError, DfnsSignersError, TokenProviderError
from dfns_signers.sealed import Sealed

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
        given: Sealed[Any] = Sealed(source)
        del source
        self._source: Callable[[], Any] | Sealed[str] = (
            given.open() if callable(given.open()) else checked_token(given)
        )

    def read(self) -> Sealed[str]:
        """The token of this moment.

        Raises:
            TokenProviderError: the provider failed.
            ConfigurationError: it returned no token.
        """
        if isinstance(self._source, Sealed):
            return self._source
        with _failures_of(self._source):
            token = Sealed(self._source())
        if inspect.isawaitable(token.open()):
            if inspect.iscoroutine(token.open()):
                token.open().close()
            raise ConfigurationError(
                "the token provider is a coroutine function: it needs an asynchronous client"
            )
        return checked_token(token)

    async def aread(self) -> Sealed[str]:
        """Like ``read``; a plain function runs in a worker thread, for it may block.

        One whose attribute ``may_block`` is False does not.
        """
        if isinstance(self._source, Sealed):
            return self._source
        if getattr(self._source, "may_block", True) is False:
            return self.read()
        with _failures_of(self._source):
            if inspect.iscoroutinefunction(self._source):
                token: Sealed[Any] = Sealed(self._source())
            else:
                token = Sealed(await worker_threads.run(self._source))
            if inspect.isawaitable(token.open()):
                token = Sealed(await token.open())
        return checked_token(token)

    def __repr__(self) -> str:
        return "<BearerToken>"


@contextmanager
def _failures_of(provider: object) -> Iterator[None]:
    try:
        # What a provider begins, such as a task that renews, outlives this call.
        with deadlines.lifted():
            yield
    except DfnsSignersError:
        raise
    except Exception as error:
        # Without the text of the error, which may repeat a secret.
        name = getattr(provider, "__qualname__", type(provider).__qualname__)
        raise TokenProviderError(
            f"the token provider {name} failed with {type(error).__name__}; nothing was sent"
        ) from error


def checked_token(token: Sealed[Any]) -> Sealed[str]:
    """A token without white space at its ends; ConfigurationError, which does not repeat it."""
    if not isinstance(token.open(), str):
        found = type(token.open()).__name__
        raise ConfigurationError(f"the token must be a string, not {found}")
    stripped = Sealed(token.open().strip())
    if not _TOKEN.fullmatch(stripped.open()):
        problem = "malformed: it has spaces or other odd characters" if stripped.open() else "empty"
        raise ConfigurationError(
            f"the auth token is {problem}; expected the token as Dfns issued it"
        )
    return stripped
