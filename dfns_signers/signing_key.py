"""The contract between a backend and everything above it: a key that signs where it lives."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, ClassVar, Final, TypeAlias, final

from dfns_signers import deadlines, signing_errors, worker_threads
from dfns_signers.abandoned_signatures import Abandoned, account_for, if_cancelled
from dfns_signers.algorithms import Algorithm, PublicKey, algorithm_of, form_check, verification
from dfns_signers.errors import (
    DfnsSignersError,
    EncodingError,
    InvalidSignatureError,
    KeyStoreUnavailableError,
)
from dfns_signers.evidence import Evidence, KeyResponse, Signature
from dfns_signers.key_lifetime import KeyLifetime
from dfns_signers.public_keys import fingerprint, parse_fingerprint

if TYPE_CHECKING:
    from concurrent.futures import Future

__all__ = ["Evidence", "KeyResponse", "Signature", "SigningKey"]

# Accounts for a signature that its caller does not wait for, made in a worker thread or not.
_Account: TypeAlias = "Callable[[Future[KeyResponse] | None], object]"
# Where the signature of a task is made, which may go on when the task is cancelled.
_pursued: Final[ContextVar[list[Future[KeyResponse]] | None]] = ContextVar(
    "dfns_signers_pursued", default=None
)

# A subclass that replaced one of these would sign without the checks.
_FRAMEWORK_METHODS: Final = frozenset(
    {"sign", "asign", "sign_with_evidence", "asign_with_evidence", "require_fingerprint"}
    | {"algorithm", "public_key", "fingerprint", "_refuse_signature", "_explain_failure"}
    | {"_respond", "_arespond", "_checked", "_sign_inside", "_inside", "_pursue"}
)


class SigningKey(KeyLifetime):
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
        signs_in_process: whether a signature takes no I/O, and so no thread of its own: ``_sign``
            is called in that of the caller, even in that of its event loop.

    Raises:
        UnsupportedKeyError: the key is of a kind that Dfns does not accept.
    """

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
        self.__check_form = form_check(public_key)
        self.__verify = verification(public_key) if verify_signatures else None
        self.__threads = worker_threads.WorkerThreads()
        super().__init__(reference)

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

    async def _asign(self, message: bytes) -> KeyResponse:
        """Like ``_sign``; in a worker thread, unless it takes no I/O or a backend knows better."""
        if self.signs_in_process:
            return self._sign(message)
        # A caller that is cancelled need not wait for a slow key store.
        future = self.__threads.submit(self._sign_inside, message, True)
        self._pursue(future)
        return await worker_threads.outcome(future)

    @final
    def _pursue(self, signing: Future[KeyResponse]) -> None:
        """Say where ``_asign`` has its signature made, which its caller may not wait for.

        What becomes of it then is said to observers; a future that is cancelled made none.
        """
        if (pursued := _pursued.get()) is not None:
            pursued.append(signing)

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
        return self._respond(message).signature

    @final
    async def asign(self, message: bytes) -> bytes:
        """Like ``sign``, without blocking the event loop."""
        return (await self._arespond(message)).signature

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
        response = self._respond(message, self._accounting(message, begin, abandoned))
        return self._with_evidence(begin, response)

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
        response = await self._arespond(message, self._accounting(message, begin, abandoned))
        return self._with_evidence(begin, response)

    def _respond(self, message: bytes, account: _Account | None = None) -> KeyResponse:
        """What the key store answers, checked."""
        if self._is_inherited:
            self._prepare()
        if self.signs_in_process or deadlines.remaining() is None:
            response = self._sign_inside(message)
        else:
            response = self._sign_in_time(message, account)
        return self._checked(message, response)

    def _sign_in_time(self, message: bytes, account: _Account | None) -> KeyResponse:
        """Sign in a worker thread, which is left to itself when the time is over."""
        try:
            signing = self.__threads.submit(self._sign_inside, message)
        except DfnsSignersError:  # as at the end of a process: then without a bound
            return self._sign_inside(message)
        try:
            return worker_threads.wait_for(signing)
        except DfnsSignersError:
            raise
        except BaseException as error:
            if account:
                account(signing)
            if isinstance(error, TimeoutError):
                raise KeyStoreUnavailableError(
                    f"the key {self.reference} gave no signature within the time of the call; "
                    "check its key store, and try again"
                ) from None
            raise

    async def _arespond(self, message: bytes, account: _Account | None = None) -> KeyResponse:
        if self._is_inherited:
            await self.__threads.run(self._prepare)
        pursued: list[Future[KeyResponse]] = []

        def report() -> None:
            if account:
                account(pursued[-1] if pursued else None)

        token = _pursued.set(pursued)
        try:
            with self._inside(), if_cancelled(report):
                response = await self._asign(message)
        finally:
            _pursued.reset(token)
        return self._checked(message, response)

    def _checked(self, message: bytes, response: KeyResponse) -> KeyResponse:
        if type(response) is not KeyResponse:
            raise signing_errors.not_a_response(self, response)
        signature = response.signature
        try:
            if not isinstance(signature, bytes):
                raise EncodingError(f"expected bytes, found {type(signature).__name__}")
            if self.__verify is None:
                self.__check_form(signature)
            else:
                self.__verify(message, signature)
        except (EncodingError, InvalidSignatureError) as error:
            raise signing_errors.invalid_signature(self, response, error) from error
        return response

    def _accounting(
        self, message: bytes, begin: float, abandoned: Abandoned | None
    ) -> _Account | None:
        """How to account for a signature that its caller does not wait for."""
        if abandoned is None:
            return None
        return lambda signing: account_for(
            signing,
            self.reference,
            lambda response: self._with_evidence(begin, self._checked(message, response)),
            abandoned,
        )

    def _with_evidence(self, begin: float, response: KeyResponse) -> Signature:
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
                verified=self.__verify is not None,
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
            raise signing_errors.other_key(self, pinned)

    def __repr__(self) -> str:
        if not hasattr(self, "reference"):
            return f"<{type(self).__name__} that is not open>"
        return f"<{type(self).__name__} {self.algorithm} {self.reference} {self.fingerprint}>"
