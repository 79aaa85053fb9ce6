"""Redis and Valkey: which package speaks to a store, how it connects, and what if it fails."""

from __future__ import annotations

import logging
import re
import threading
import time
from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from typing import Any, Final, TypeVar

from dfns_signers import forks
from dfns_signers.errors import ConfigurationError, NoPermitError
from dfns_signers.sealed import Sealed

T = TypeVar("T")

PAUSE: Final = 1.0
"""Seconds until a store that failed is tried again."""

_URL: Final = re.compile(r"(?P<library>redis|valkey)s?(\+[a-z]+)?://.+")
_ANSWER_TIMEOUT: Final = 1.0

_log: Final = logging.getLogger(__name__)


def library_of(url: Sealed[Any]) -> str:
    """The package that speaks to the store of a URL: ``redis`` or ``valkey``.

    Raises:
        ConfigurationError: it is not the URL of a store, or a package is missing.
    """
    match = _URL.fullmatch(url.open()) if isinstance(url.open(), str) else None
    library = match["library"] if match else ""
    # A match has the whole URL, which may hold a password.
    del match
    if not library:
        raise ConfigurationError(
            "the store of a rate limit must be a URL of Redis or Valkey, such as "
            "'redis://HOST:6379/0' or 'valkeys://HOST:6379/0'"
        )
    for module in ("limits", library):
        if find_spec(module) is None:
            raise ConfigurationError(
                f"the store of a rate limit needs the package {module!r}: "
                f"pip install 'dfns-signers[{library}]'"
            )
    return library


def connected(url: Sealed[str], library: str) -> Any:
    """A storage of ``limits`` for a store; it connects when it is first asked.

    An answer takes a second at most, and there is one more attempt, for a connection that was kept
    may be closed.
    """
    retry = import_module(f"{library}.retry")
    backoff = import_module(f"{library}.backoff")
    return import_module("limits").storage.storage_from_string(
        url.open(),
        socket_timeout=_ANSWER_TIMEOUT,
        socket_connect_timeout=_ANSWER_TIMEOUT,
        retry=retry.Retry(backoff.NoBackoff(), 1),
    )


class Store:
    """A store that refuses while it fails: it is asked once a second then, and warned of once.

    Args:
        url: of Redis or Valkey.
        setting: the setting that has the URL, for errors.

    Raises:
        ConfigurationError: as for ``library_of``.
    """

    def __init__(self, url: Sealed[str], setting: str) -> None:
        self._url = url
        self._library = library_of(url)
        self._setting = setting
        self.after_fork()
        forks.watch(self)

    def after_fork(self) -> None:
        """Connect anew in a forked child."""
        self._lock = threading.RLock()
        self._storage: Any = None
        self._failed_at: float | None = None

    def ask(self, question: Callable[[Any], T]) -> T:
        """The answer to a question, which is given the storage of ``limits``; blocks.

        Raises:
            NoPermitError: the store fails.
        """
        storage = self._open_storage()
        try:
            answer = question(storage)
        except Exception as error:  # noqa: BLE001  # of limits, redis or valkey
            self._note_failure(error)
            raise self._failure() from None  # its text may repeat the URL
        self._note_success()
        return answer

    def _open_storage(self) -> Any:
        with self._lock:
            if self._failed_at is not None and time.monotonic() < self._failed_at + PAUSE:
                raise self._failure()
            if self._storage is None:
                self._storage = connected(self._url, self._library)
            return self._storage

    def _failure(self) -> NoPermitError:
        return NoPermitError(f"the store fails: check the server, and the URL in {self._setting}")

    def _note_failure(self, error: Exception) -> None:
        with self._lock:
            if self._failed_at is None:
                # Without the text of the error, which may repeat the URL and its password.
                _log.warning(
                    "the store in %s fails with %s: what it counts is refused until it answers",
                    self._setting,
                    type(error).__name__,
                )
            self._failed_at = time.monotonic()
            # Connections of another kind, such as after a failover.
            self._storage = None

    def _note_success(self) -> None:
        with self._lock:
            if self._failed_at is not None:
                self._failed_at = None
                _log.warning("the store in %s answers again", self._setting)
