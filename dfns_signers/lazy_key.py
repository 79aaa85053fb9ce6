"""The key of a signer: opened at its first use, once, and anew in a forked child."""

from __future__ import annotations

import threading
from collections.abc import Callable

import anyio.to_thread

from dfns_signers import forks
from dfns_signers.errors import (
    ConfigurationError,
    FingerprintMismatchError,
    SecretRefusedError,
    SigningKeyError,
)
from dfns_signers.signing_key import SigningKey


class LazyKey:
    """Opens a key at its first use.

    A failure is not kept: the next use tries again. The exception is a secret that was refused and
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
        self._lock = threading.Lock()
        self._refusal: SecretRefusedError | None = None
        self._ended = False
        self._of_parent: list[SigningKey] = []
        forks.watch(self)

    def get(self) -> SigningKey:
        """The key, opened now if it was not; SigningKeyError if this has ended before it was."""
        with self._lock:
            if self._key is None:
                self._key = self._opened()
            return self._key

    async def aget(self) -> SigningKey:
        """Like ``get``; opens the key in a worker thread."""
        return await anyio.to_thread.run_sync(self.get) if self._key is None else self._key

    def end(self) -> SigningKey | None:
        """Open no key from now on; returns the one that was opened, for it to be closed.

        Waits for one that is being opened, so that none stays open.
        """
        with self._lock:
            self._ended = True
            return self._key

    def after_fork(self) -> None:
        """Open the key anew in a forked child: connections are its parent's."""
        self._lock = threading.Lock()
        if self._key is not None and self._key is not self._source:
            # Kept, so that collecting it does not close what the parent uses.
            self._of_parent.append(self._key)
            self._key = None

    def _opened(self) -> SigningKey:
        if self._ended:
            raise SigningKeyError("the signer is closed; make another one to sign")
        if self._refusal is not None:
            raise self._refusal
        try:
            key: SigningKey = self._source()  # type: ignore[operator]  # an open key is never opened
        except SecretRefusedError as error:
            self._refusal = error
            raise
        try:
            key.require_fingerprint(self._fingerprint or key.fingerprint)
        except FingerprintMismatchError:
            key.close()
            raise
        self._fingerprint = key.fingerprint
        return key

    def __repr__(self) -> str:
        return repr(self._key) if self._key else "a key not opened yet"
