"""A key from its opening to its closing: what is under way with it, a fork, a refused secret."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from copy import copy
from typing import ClassVar, NoReturn

from dfns_signers import forks, worker_threads
from dfns_signers.algorithms import Algorithm
from dfns_signers.closing import AsyncClosing, Closing, Gate
from dfns_signers.errors import SecretRefusedError, SigningKeyError
from dfns_signers.evidence import KeyResponse
from dfns_signers.signing_errors import backend_failure


class KeyLifetime(Closing, AsyncClosing, ABC):
    """What a key that is open keeps to; the contract is that of ``SigningKey``.

    Args:
        reference: the key as resolved, such as an ARN or a path; shown in errors.
    """

    close_wait: ClassVar[float] = 10.0

    def __init__(self, reference: str) -> None:
        self.reference = reference
        self._gate = Gate()
        self._reopening = threading.Lock()
        self._is_inherited = False
        self._refusal: SecretRefusedError | None = None
        forks.watch(self)

    @property
    @abstractmethod
    def algorithm(self) -> Algorithm:
        """The scheme that the key signs with."""

    @abstractmethod
    def _sign(self, message: bytes) -> KeyResponse:
        """Have the key store sign the message (not a digest of it); runs in several threads."""

    def _close(self) -> None:
        """Release what the key holds; called once, while no signature is under way."""

    def _reopen(self) -> None:
        """Make what the key holds anew in a forked child, before its first signature there.

        Raises:
            SigningKeyError: the key must be opened in the child instead.
        """
        raise SigningKeyError(
            f"the key {self.reference} was opened before this process was forked, and its "
            "connections belong to the parent: open the key in the child process"
        )

    @contextmanager
    def _inside(self, *, admitted: bool = False) -> Iterator[None]:
        """Count a signature, for closing to wait for it, and let no foreign exception out of it."""
        ticket = None if self._refusal else self._gate.enter(admitted)
        if ticket is None:
            self._refuse_signature()
        try:
            yield
        except Exception as error:
            self._explain_failure(error)
            raise
        finally:
            self._gate.leave(ticket)

    def _sign_inside(self, message: bytes, admitted: bool = False) -> KeyResponse:
        """``_sign``, counted, so that closing can wait for it even if its caller was cancelled."""
        # What ``_inside`` does; a context manager would double what is done beside ``_sign``.
        ticket = None if self._refusal else self._gate.enter(admitted)
        if ticket is None:
            self._refuse_signature()
        try:
            return self._sign(message)
        except Exception as error:
            self._explain_failure(error)
            raise
        finally:
            self._gate.leave(ticket)

    def _refuse_signature(self) -> NoReturn:
        if self._refusal:
            raise copy(self._refusal) from self._refusal.__cause__
        raise SigningKeyError(f"the key {self.reference} is closed; open it again to sign")

    def _explain_failure(self, error: Exception) -> None:
        """Raise what callers get for an error of the backend, unless it is that very error."""
        if isinstance(error, SecretRefusedError):
            self._refusal = error
        shown = backend_failure(self, error)
        if shown is not error:
            raise shown from error

    def after_fork(self) -> None:
        """Mark what the key holds as the parent's; see ``dfns_signers.forks``."""
        self._gate.after_fork()
        self._reopening = threading.Lock()
        self._is_inherited = True

    def _prepare(self) -> None:
        """Have what a forked child inherited made anew there, once."""
        with self._reopening:
            if not self._is_inherited or self._gate.is_shut:
                return
            try:
                self._reopen()
            except Exception as error:
                self._explain_failure(error)
                raise
            self._is_inherited = False

    def close(self) -> None:
        """Release what the key holds; it cannot sign afterwards. Closing twice is harmless.

        Waits for signatures under way, up to ``close_wait`` seconds; the last of them releases
        otherwise.
        """
        self._gate.shut(self._release, wait=self.close_wait)

    async def aclose(self) -> None:
        """Like ``close``, without blocking the event loop."""
        await worker_threads.to_the_end(self.close)

    def _release(self) -> None:
        # What a forked child inherited is its parent's, which goes on using it.
        if not self._is_inherited:
            self._close()

    def __reduce__(self) -> NoReturn:
        raise TypeError(
            f"{type(self).__name__} does not pickle: it stands for a private key. Pass the "
            "configuration to the other process and open the key there"
        )
