"""The contract between a backend and everything above it: a key that signs where it lives."""

from __future__ import annotations

import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from copy import copy
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, Final, NoReturn, final

from dfns_signers import deadlines, forks, worker_threads
from dfns_signers.abandoned_signatures import Abandoned, account_for, if_cancelled
from dfns_signers.algorithms import Algorithm, PublicKey, algorithm_of, check_form, verify
from dfns_signers.closing import AsyncClosing, Closing, Gate
from dfns_signers.errors import (
    DfnsSignersError,
    EncodingError,
    FingerprintMismatchError,
    InvalidSignatureError,
    KeyStoreUnavailableError,
    SecretRefusedError,
    SigningKeyError,
)
from dfns_signers.evidence import Evidence, KeyResponse, Signature
from dfns_signers.public_keys import fingerprint, parse_fingerprint
from dfns_signers.worker_threads import WorkerThreads

if TYPE_CHECKING:
    from concurrent.futures import Future

__all__ = ["Evidence", "KeyResponse", "Signature", "SigningKey"]

# What the signatures of a task do in worker threads.
_in_threads: Final[ContextVar[list[Future[KeyResponse]] | None]] = ContextVar(
    "dfns_signers_in_threads", default=None
)

# A subclass that replaced one of these would sign without the checks.
_FRAMEWORK_METHODS: Final = frozenset(
    {"sign", "asign", "sign_with_evidence", "asign_with_evidence", "require_fingerprint"}
    | {"algorithm", "public_key", "fingerprint"}
    | {"_checked", "_sign_inside", "_inside"}
)


class SigningKey(Closing, AsyncClosing, ABC):
    """A private key in its store, opened, with its public key pinned for life.

    A backend implements ``_sign`` (and ``_asign`` if its client is natively asynchronous), and
    ``_close`` if there is something to release. What they return is checked here against the public
    key, so that no backend can forget to. The contract:

    * ``_sign`` is called from several threads at once.
    * ``_close`` is called once, and never while ``_sign`` runs. Closing refuses new signatures, and
      waits up to ``close_wait`` seconds for those under way; the last of them releases otherwise.
    * An exception of a foreign class in ``_sign`` ends as a SigningKeyError that names the key.
    * After a SecretRefusedError the key is not asked again: each try could lock the secret.
    * After a fork, the child's first signature calls ``_reopen``, which refuses unless a backend
      makes its connections anew there.

    Args:
        public_key: the public half, as read when the key was opened.
        reference: the key as resolved, such as an ARN or a path; shown in errors and evidence.
        verify_signatures: also verify each signature; form and length are always checked.

    Attributes:
        close_wait: seconds that closing waits for signatures under way.
        signs_in_process: whether a signature takes no I/O, and so no thread of its own.

    Raises:
        UnsupportedKeyError: the key is of a kind that Dfns does not accept.
    """

    close_wait: ClassVar[float] = 10.0
    signs_in_process: ClassVar[bool] = False

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        overridden = [
            name
            for name in _FRAMEWORK_METHODS
            if getattr(cls, name) is not getattr(SigningKey, name)
        ]
        if overridden:
            raise TypeError(
                f"{cls.__name__} must not override {', '.join(sorted(overridden))}: what the key "
                "answers is checked there; implement _sign (and _asign) instead"
            )

    def __init__(
        self, public_key: PublicKey, *, reference: str, verify_signatures: bool = True
    ) -> None:
        self.__algorithm = algorithm_of(public_key)
        self.__public_key = public_key
        self.__fingerprint = fingerprint(public_key)
        self.reference = reference
        self._verify_signatures = verify_signatures
        self.__threads = WorkerThreads()
        self._gate = Gate()
        self._reopening = threading.Lock()
        self._is_inherited = False
        self._refusal: SecretRefusedError | None = None
        forks.watch(self)

    @property
    def algorithm(self) -> Algorithm:
        """The scheme that the key signs with."""
        return self.__algorithm

    @property
    def public_key(self) -> PublicKey:
        """The public half, as it was when the key was opened."""
        return self.__public_key

    @property
    def fingerprint(self) -> str:
        """``sha256:…`` of the public key in DER."""
        return self.__fingerprint

    @abstractmethod
    def _sign(self, message: bytes) -> KeyResponse:
        """Have the key store sign the message (not a digest of it); runs in several threads."""

    async def _asign(self, message: bytes) -> KeyResponse:
        """Like ``_sign``; runs it in a worker thread unless a backend knows better."""
        # A caller that is cancelled need not wait for a slow key store.
        future = self.__threads.submit(self._sign_inside, message)
        if (in_threads := _in_threads.get()) is not None:
            in_threads.append(future)
        return await worker_threads.outcome(future)

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

    @final
    def sign(self, message: bytes) -> bytes:
        """Sign a message.

        Args:
            message: the bytes to sign; never a digest, whatever the key store wants to be sent.

        Returns:
            Canonical signature bytes: 64 raw for Ed25519, DER for ECDSA, PKCS#1 v1.5 for RSA.

        Raises:
            InvalidSignatureError: the key store returned an invalid signature.
            SigningKeyError: the key store refused or failed, or the key is closed.
        """
        return self.sign_with_evidence(message).value

    @final
    async def asign(self, message: bytes) -> bytes:
        """Like ``sign``, without blocking the event loop."""
        return (await self.asign_with_evidence(message)).value

    @final
    def sign_with_evidence(
        self, message: bytes, *, abandoned: Abandoned | None = None
    ) -> Signature:
        """Like ``sign``, with the evidence.

        Args:
            message: as for ``sign``.
            abandoned: if the time that is left (``deadlines``) ends before the key store answers,
                called in a worker thread with what became of the signature: made all the same,
                failed, or a SigningCancelledError.
        """
        begin = time.perf_counter()
        self._prepare()
        if self.signs_in_process or deadlines.remaining() is None:
            response = self._sign_inside(message, admitted=False)
        else:
            response = self._sign_in_time(message, begin, abandoned)
        return self._checked(message, begin, response)

    def _sign_in_time(
        self, message: bytes, begin: float, abandoned: Abandoned | None
    ) -> KeyResponse:
        """Sign in a worker thread, which is left to itself when the time is over."""
        try:
            signing = self.__threads.submit(self._sign_inside, message, admitted=False)
        except DfnsSignersError:  # as at the end of a process: then without a bound
            return self._sign_inside(message, admitted=False)
        try:
            return worker_threads.wait_for(signing)
        except DfnsSignersError:
            raise
        except BaseException as error:
            if abandoned:
                account_for(
                    signing, self.reference, partial(self._checked, message, begin), abandoned
                )
            if isinstance(error, TimeoutError):
                raise KeyStoreUnavailableError(
                    f"the key {self.reference} gave no signature within the time of the call; "
                    "check its key store, and try again"
                ) from None
            raise

    @final
    async def asign_with_evidence(
        self, message: bytes, *, abandoned: Abandoned | None = None
    ) -> Signature:
        """Like ``asign``, with the evidence.

        Args:
            message: as for ``sign``.
            abandoned: if the caller is cancelled, called in a worker thread with what became of
                the signature: made all the same, failed, or a SigningCancelledError.
        """
        begin = time.perf_counter()
        if self._is_inherited:
            await self.__threads.run(self._prepare)
        in_threads: list[Future[KeyResponse]] = []
        check = partial(self._checked, message, begin)

        def report() -> None:
            if abandoned:
                signing = in_threads[-1] if in_threads else None
                account_for(signing, self.reference, check, abandoned)

        token = _in_threads.set(in_threads)
        try:
            with if_cancelled(report), self._inside():
                response = await self._asign(message)
        finally:
            _in_threads.reset(token)
        return check(response)

    def _sign_inside(self, message: bytes, *, admitted: bool = True) -> KeyResponse:
        """``_sign``, counted, so that closing can wait for it even if its caller was cancelled."""
        with self._inside(admitted=admitted):
            return self._sign(message)

    @contextmanager
    def _inside(self, *, admitted: bool = False) -> Iterator[None]:
        """Count a signature, for closing to wait for it, and let no foreign exception out of it."""
        if self._refusal is not None:
            raise copy(self._refusal) from self._refusal.__cause__
        ticket = self._gate.enter(admitted=admitted)
        if ticket is None:
            raise SigningKeyError(f"the key {self.reference} is closed; open it again to sign")
        try:
            with self._translated():
                yield
        finally:
            self._gate.leave(ticket)

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except SecretRefusedError as error:
            self._refusal = error
            raise
        except EncodingError as error:
            raise InvalidSignatureError(
                f"the backend of the key {self.reference} returned no {self.algorithm} signature: "
                f"{error}; report it to the author of the backend"
            ) from error
        except DfnsSignersError:
            raise
        except Exception as error:
            # Without the text of the error: what a stranger's library puts into it is unknown.
            raise SigningKeyError(
                f"cannot sign with the key {self.reference}: its backend ({type(self).__module__}) "
                f"failed with {type(error).__name__}; report it to the author of the backend"
            ) from error

    def after_fork(self) -> None:
        """Mark what the key holds as the parent's; see ``dfns_signers.forks``."""
        self._gate.after_fork()
        self._reopening = threading.Lock()
        self._is_inherited = True

    def _prepare(self) -> None:
        if self._is_inherited:
            with self._reopening, self._translated():
                self._reopen_once()

    def _reopen_once(self) -> None:
        if self._is_inherited and not self._gate.is_shut:
            self._reopen()
            self._is_inherited = False

    def _checked(self, message: bytes, begin: float, response: KeyResponse) -> Signature:
        if type(response) is not KeyResponse:
            raise InvalidSignatureError(
                f"the backend of the key {self.reference} returned {type(response).__name__}, "
                "expected a KeyResponse; report it to the author of the backend"
            )
        try:
            if not isinstance(response.signature, bytes):
                raise EncodingError(f"expected bytes, found {type(response.signature).__name__}")
            if self._verify_signatures:
                verify(self.public_key, message, response.signature)
            else:
                check_form(self.public_key, response.signature)
        except (EncodingError, InvalidSignatureError) as error:
            version = f" (version {response.key_version} signed)" if response.key_version else ""
            request = f"; request id {response.request_id}" if response.request_id else ""
            advice = "Check whether the key was replaced or rotated"
            if isinstance(error, EncodingError):
                advice += "; otherwise report it to the author of the backend"
            raise InvalidSignatureError(
                f"the key {self.reference}{version} returned an invalid {self.algorithm} signature "
                f"for the public key it had when it was opened ({self.fingerprint}): {error}. "
                f"Nothing was sent to Dfns. {advice}{request}"
            ) from error
        return Signature(
            response.signature,
            Evidence(
                algorithm=self.algorithm,
                key=self.reference,
                key_version=response.key_version,
                fingerprint=self.fingerprint,
                duration=time.perf_counter() - begin,
                attempts=response.attempts,
                request_id=response.request_id,
                verified=self._verify_signatures,
            ),
        )

    def require_fingerprint(self, expected: str) -> None:
        """Refuse the key unless it is the one that was pinned.

        Args:
            expected: SHA-256 of the DER public key in hex, with or without ``sha256:``.

        Raises:
            FingerprintMismatchError: another key.
            ConfigurationError: ``expected`` is not a fingerprint.
        """
        pinned = parse_fingerprint(expected)
        if pinned != self.fingerprint:
            raise FingerprintMismatchError(
                f"the key {self.reference} has the fingerprint {self.fingerprint}, and {pinned} "
                f"is pinned: it is another key. If it was replaced "
                "on purpose, register the new public key with Dfns and pin its fingerprint"
            )

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

    def __repr__(self) -> str:
        if not hasattr(self, "reference"):
            return f"<{type(self).__name__} that is not open>"
        return f"<{type(self).__name__} {self.algorithm} {self.reference} {self.fingerprint}>"

    def __reduce__(self) -> NoReturn:
        raise TypeError(
            f"{type(self).__name__} does not pickle: it stands for a private key. Pass the "
            "configuration to the other process and open the key there"
        )
