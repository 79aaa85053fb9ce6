"""What a rate limit is: how many requests, and with whom they are shared."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, NoReturn

from dfns_signers.arguments import shown
from dfns_signers.errors import ConfigurationError
from dfns_signers.rate_limits.stores import library_of
from dfns_signers.sealed import Sealed

WINDOW: Final = 60
"""Seconds. Source: Dfns documentation, which limits the requests of an organisation in a minute."""

SIGNED_CALL: Final = 3
"""Requests of a signed call: it is announced, its challenge is answered, and it is sent."""


class RateLimit:
    """The requests that clients may send, of this process or of all that share a store.

    Args:
        requests: how many in any 60 seconds; 3 or more, for a signed call takes three.
        store: URL of a Redis or Valkey server through which processes and machines share the limit
            (``redis://``, ``rediss://``, ``valkey://``, ``valkeys://``), or a function that returns
            it. None for a limit of this process alone.
        name: what shares the limit, such as the organisation; the base URL if not given.
        fallback: share of the limit, 0 to 1, that this process uses on its own while the store
            fails; 0 refuses calls meanwhile.

    Raises:
        ConfigurationError: a value that can never work, or the library for the store is missing.
    """

    __slots__ = ("fallback", "library", "name", "requests", "store")

    def __init__(
        self,
        requests: int,
        *,
        store: str | Callable[[], str] | None = None,
        name: str | None = None,
        fallback: float = 0.0,
    ) -> None:
        url: Sealed[Any] = Sealed(store() if callable(store) else store)
        del store
        _check_requests(requests)
        _check_name(name)
        self.requests = requests
        self.library = "" if url.open() is None else library_of(url)
        self.store: Sealed[str] | None = url if self.library else None
        self.name = name
        self.fallback = _checked_fallback(fallback, requests, has_store=self.store is not None)

    def __repr__(self) -> str:
        shared = f", shared as {self.name or 'the base URL'}" if self.store else ""
        return f"<{type(self).__name__} of {self.requests} requests in {WINDOW} seconds{shared}>"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a RateLimit does not pickle: pass the configuration and load it there")


def _check_requests(requests: Any) -> None:
    is_integer = isinstance(requests, int) and not isinstance(requests, bool)
    if not is_integer or requests < SIGNED_CALL:
        raise ConfigurationError(
            f"'rate_limit' must be an integer of {SIGNED_CALL} or more, the requests of a signed "
            f"call, not {shown(requests)}"
        )


def _check_name(name: Any) -> None:
    if name is not None and not (isinstance(name, str) and name):
        raise ConfigurationError(
            f"the name of a rate limit must be a string that is not empty, not {shown(name)}"
        )


def _checked_fallback(fallback: Any, requests: int, *, has_store: bool) -> float:
    is_number = isinstance(fallback, (int, float)) and not isinstance(fallback, bool)
    if not is_number or not 0 <= fallback <= 1:
        raise ConfigurationError(
            "the fallback of a rate limit must be a share of it, a number from 0 to 1, not "
            f"{shown(fallback)}"
        )
    if fallback and not has_store:
        raise ConfigurationError("the fallback of a rate limit has no meaning without a store")
    if fallback and fallback * requests < SIGNED_CALL:
        raise ConfigurationError(
            f"the fallback of a rate limit, {fallback} of {requests} requests, is less than the "
            f"{SIGNED_CALL} requests of a signed call"
        )
    return float(fallback)
