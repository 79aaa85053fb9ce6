"""The key of a signer: opened at its first use, once, and anew in a forked child.

concurrent.futures is imported by an opening: a key that is open already needs none.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import copy
from typing import TYPE_CHECKING, Any

from dfns_signers import deadlines, forks, worker_threads
from dfns_signers.closing import release_logged
from dfns_signers.errors import (
    ConfigurationError,
    DfnsSignersError,
    KeyStoreUnavailableError,
    SecretRefusedError,
    SigningKeyError,
)
from dfns_signers.signing_key import SigningKey

if TYPE_CHECKING:
    from concurrent.futures import Future


class LazyKey:
    """Opens a key at its first use.

    Those that need the key while it is opened share that opening, and its failure; the next use
    tries again. The exception is a secret that was refused and locks after a few tries, which is
    never tried again. A caller that gives up leaves the opening to the others and to the next. A
    forked child opens the key anew, which must be the same.

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
        # Re-entrant, for the handler of a signal may need the key that this very thread opens.
        self._lock = threading.RLock()
        self._threads = worker_threads.WorkerThreads(1)
        self._opening: Future[SigningKey] | None = None
        # Threads: that which joined first, and that which opens.
        self._first: int | None = None
        self._opener: int | None = None
        self._refusal: SecretRefusedError | None = None
        self._ended = False
        self._of_parent: list[SigningKey] = []
        forks.watch(self)

    def get(self) -> SigningKey:
        """The key, opened now if it was not.

        Raises:
            SigningKeyError: it cannot be opened, this has ended before it was, or it is not open
                within the time that is left (``deadlines``).
        """
        if self._key is not None:
            return self._key
        from concurrent.futures import wait  # noqa: PLC0415

        with self._never_left_open():
            opening, is_new = self._join()
            if is_new and deadlines.remaining() is None:
                self._open_for(opening)
            elif is_new:
                self._begin(opening)
        wait([opening], deadlines.remaining())
        if not opening.done():
            raise KeyStoreUnavailableError(
                "the key of a signer is still being opened, and the time of the call is over; "
                "check the key store, and try again"
            )
        return _result(opening)

    async def aget(self) -> SigningKey:
        """Like ``get``; opens the key in a worker thread, which a cancelled caller leaves to it."""
        if self._key is not None:
            return self._key
        with self._never_left_open():
            opening, is_new = self._join()
            if is_new:
                self._begin(opening)
        await worker_threads.finished(opening)
        return _result(opening)

    def end(self) -> SigningKey | None:
        """Open no key from now on; returns the one that was opened, for it to be closed.

        One that is being opened is closed by the thread that opens it.
        """
        # Without the lock: the handler of a signal may close a signer whose key its thread opens.
        self._ended = True
        return self._key

    def after_fork(self) -> None:
        """Open the key anew in a forked child: connections are its parent's."""
        self._lock = threading.RLock()
        self._opening = self._first = self._opener = None
        if self._key is not None and self._key is not self._source:
            # Kept, so that collecting it does not close what the parent uses.
            self._of_parent.append(self._key)
            self._key = None

    def _join(self) -> tuple[Future[SigningKey], bool]:
        """The opening that is under way, or a new one, and whether it is new."""
        from concurrent.futures import Future  # noqa: PLC0415

        with self._lock:
            if self._key is not None:  # it was opened meanwhile
                return _done(self._key), False
            if self._refusal is not None:
                return _done(self._refusal), False
            if self._opener == threading.get_ident():
                raise SigningKeyError(
                    "the function that opens the key of a signer uses that signer"
                )
            if self._opening is not None:
                return self._opening, False
            if self._ended:
                raise _closed()
            self._first, self._opening = threading.get_ident(), Future()
            return self._opening, True

    @contextmanager
    def _never_left_open(self) -> Iterator[None]:
        """Settle an opening that this thread was interrupted in before it began."""
        try:
            yield
        except BaseException:  # Ctrl-C and cancellation, too
            opening = self._opening
            if opening is not None and self._first == threading.get_ident():
                self._settle(opening, SigningKeyError("the opening of the key was interrupted"))
            raise

    def _begin(self, opening: Future[SigningKey]) -> None:
        """Open the key in a worker thread; here where there is none, as at the end of a process."""
        try:
            self._threads.submit(self._open_for, opening)
        except DfnsSignersError:
            self._open_for(opening)

    def _open_for(self, opening: Future[SigningKey]) -> None:
        try:
            self._first, self._opener = None, threading.get_ident()
            # Not in the time of the caller that came first: others may have more.
            with deadlines.lifted():
                self._settle(opening, self._opened())
        except Exception as error:  # noqa: BLE001  # raised by those that wait
            self._settle(opening, error)
        except BaseException:  # Ctrl-C and cancellation, too
            self._settle(opening, SigningKeyError("the opening of the key was interrupted"))
            raise

    def _opened(self) -> SigningKey:
        key = _open(self._source)
        try:
            key.require_fingerprint(self._fingerprint or key.fingerprint)
        except SigningKeyError:
            release_logged(key.close)
            raise
        self._fingerprint = key.fingerprint
        return key

    def _settle(self, opening: Future[SigningKey], outcome: SigningKey | Exception) -> None:
        late: SigningKey | Exception | None = None
        with self._lock:
            if opening.done():  # an interruption came first
                late = outcome
            else:
                self._opening = self._first = self._opener = None
                if isinstance(outcome, SecretRefusedError):
                    self._refusal = outcome
                elif isinstance(outcome, SigningKey):
                    # Kept first: whatever ends this from here on finds it.
                    self._key = outcome
                    if self._ended:
                        late, self._key, outcome = outcome, None, _closed()
                _set(opening, outcome)
        if isinstance(late, SigningKey):
            release_logged(late.close)

    def __repr__(self) -> str:
        return repr(self._key) if self._key else "a key not opened yet"


def _done(outcome: SigningKey | Exception) -> Future[SigningKey]:
    from concurrent.futures import Future  # noqa: PLC0415

    future: Future[SigningKey] = Future()
    _set(future, outcome)
    return future


def _set(future: Future[SigningKey], outcome: SigningKey | Exception) -> None:
    if isinstance(outcome, SigningKey):
        future.set_result(outcome)
    else:
        future.set_exception(outcome)


def _result(opening: Future[SigningKey]) -> SigningKey:
    error = opening.exception()
    if error is not None:
        # A copy, for each that waited writes its own traceback into it.
        raise copy(error).with_traceback(error.__traceback__) from error.__cause__
    return opening.result()


def _closed() -> SigningKeyError:
    return SigningKeyError("the signer is closed; make another one to sign")


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
