"""The key of a signer: opened at its first use, once, and anew in a forked child."""

from __future__ import annotations

import threading
from collections.abc import Callable
from copy import copy
from typing import Any

import anyio.to_thread

from dfns_signers import forks
from dfns_signers.errors import (
    ConfigurationError,
    DfnsSignersError,
    SecretRefusedError,
    SigningKeyError,
)
from dfns_signers.signing_key import SigningKey


class LazyKey:
    """Opens a key at its first use.

    A failure is not kept: those that waited for it share it, the next use tries again. The
    exception is a secret that was refused and
    locks after a few tries, which is never tried again. A forked child opens the key anew, which
    must be the same.

    Args:
        key: a key that is open, or a function that opens one; may block.

    Raises:
        ConfigurationError: neither.
    """

    def __init__(self, key: SigningKey | Callable[[], SigningKey]) -> None:
        if not isinstance(key, SigningKey) and not callable(key):
            raise ConfigurationError(
                f"expected a signing key, found {type(key).__name__}: open one, such as with "
                "PemKey.from_file(path), or use load_signer()"
            )
        self._source = key
        self._key = key if isinstance(key, SigningKey) else None
        self._fingerprint: str | None = None
        # Re-entrant, for a signal handler may close a signer whose key this very thread opens.
        self._lock = threading.RLock()
        self._is_opening = False
        self._failures = 0
        self._failure: DfnsSignersError | None = None
        self._ended = False
        self._of_parent: list[SigningKey] = []
        forks.watch(self)

    def get(self) -> SigningKey:
        """The key, opened now if it was not; SigningKeyError if this has ended before it was."""
        failures = self._failures
        with self._lock:
            if self._key is None:
                # Whoever waited for an opening shares its failure: another one would fail, too.
                if self._failure and (
                    self._failures != failures or isinstance(self._failure, SecretRefusedError)
                ):
                    raise copy(self._failure) from self._failure.__cause__
                self._key = self._opened()
            return self._key

    async def aget(self) -> SigningKey:
        """Like ``get``; opens the key in a worker thread, which a cancelled caller leaves to it."""
        if self._key is not None:
            return self._key
        return await anyio.to_thread.run_sync(self.get, abandon_on_cancel=True)

    def end(self) -> SigningKey | None:
        """Open no key from now on; returns the one that was opened, for it to be closed.

        Waits for one that is being opened, so that none stays open.
        """
        with self._lock:
            self._ended = True
            return self._key

    def after_fork(self) -> None:
        """Open the key anew in a forked child: connections are its parent's."""
        self._lock = threading.RLock()
        self._is_opening = False
        if self._key is not None and self._key is not self._source:
            # Kept, so that collecting it does not close what the parent uses.
            self._of_parent.append(self._key)
            self._key = None

    def _opened(self) -> SigningKey:
        if self._is_opening:
            raise SigningKeyError("the function that opens the key of a signer uses that signer")
        self._require_not_ended()
        self._is_opening = True
        try:
            key = _open(self._source)
        except DfnsSignersError as error:
            self._failures, self._failure = self._failures + 1, error
            raise
        finally:
            self._is_opening = False
        try:
            self._require_not_ended()
            key.require_fingerprint(self._fingerprint or key.fingerprint)
        except SigningKeyError:
            key.close()
            raise
        self._fingerprint = key.fingerprint
        return key

    def _require_not_ended(self) -> None:
        if self._ended:
            raise SigningKeyError("the signer is closed; make another one to sign")

    def __repr__(self) -> str:
        return repr(self._key) if self._key else "a key not opened yet"


def _open(source: Any) -> SigningKey:
    try:
        key = source()
    except DfnsSignersError:
        raise
    except Exception as error:
        raise SigningKeyError(
            f"the function that opens the key of a signer failed with {type(error).__name__}"
        ) from error
    if not isinstance(key, SigningKey):
        raise ConfigurationError(
            "the function that opens the key of a signer returned "
            f"{type(key).__name__}, expected a SigningKey"
        )
    return key
