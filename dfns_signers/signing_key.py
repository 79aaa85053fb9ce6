"""The contract between a backend and everything above it: a key that signs where it lives."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar, NoReturn, final

import anyio.to_thread

from dfns_signers.algorithms import (
    Algorithm,
    PublicKey,
    algorithm_of,
    check_form,
    fingerprint,
    parse_fingerprint,
    verify,
)
from dfns_signers.closing import AsyncClosing, Closing
from dfns_signers.errors import (
    EncodingError,
    FingerprintMismatchError,
    InvalidSignatureError,
    SigningKeyError,
)


@dataclass(frozen=True, slots=True)
class KeyResponse:
    """What a backend's key answered to one request for a signature.

    Attributes:
        signature: canonical bytes: 64 raw for Ed25519, DER for ECDSA, PKCS#1 v1.5 for RSA.
        key_version: version of the key that signed, where the key store reports one.
        request_id: the provider's id of the request, for its support and its audit log.
        attempts: how many requests it took.
    """

    signature: bytes
    key_version: str | None = None
    request_id: str | None = None
    attempts: int = 1


@dataclass(frozen=True, slots=True)
class Evidence:
    """How a signature came about: for audit and metrics, never sent to Dfns.

    Attributes:
        algorithm: scheme that signed.
        key: the key as resolved, such as an ARN or a path.
        key_version: version of the key that signed, where the key store reports one.
        fingerprint: ``sha256:…`` of the public key.
        duration: seconds from the request to the checked signature.
        attempts: how many requests it took.
        request_id: the provider's id of the request.
        verified: whether the signature was verified against the public key.
    """

    algorithm: Algorithm
    key: str
    key_version: str | None
    fingerprint: str
    duration: float
    attempts: int
    request_id: str | None
    verified: bool


@dataclass(frozen=True, slots=True)
class Signature:
    """A checked signature: its canonical bytes, and how it came about."""

    value: bytes
    evidence: Evidence


class SigningKey(Closing, AsyncClosing, ABC):
    """A private key in its store, opened, with its public key pinned for life.

    A backend implements ``_sign`` (and ``_asign`` if its client is natively asynchronous). What
    they return is checked here against the public key, so that no backend can forget to.

    Args:
        public_key: the public half, as read when the key was opened.
        reference: the key as resolved, such as an ARN or a path; shown in errors and evidence.
        verify_signatures: also verify each signature; form and length are always checked.

    Raises:
        UnsupportedKeyError: the key is of a kind that Dfns does not accept.
    """

    _FRAMEWORK_METHODS: ClassVar = frozenset(
        {"sign", "asign", "produce", "aproduce", "require_fingerprint", "_checked"}
    )

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        overridden = [
            name
            for name in cls._FRAMEWORK_METHODS
            if getattr(cls, name) is not getattr(SigningKey, name)
        ]
        if overridden:
            raise TypeError(
                f"{cls.__name__} overrides {', '.join(sorted(overridden))}, which check what the "
                "key answers; implement _sign (and _asign) instead"
            )

    def __init__(
        self, public_key: PublicKey, *, reference: str, verify_signatures: bool = True
    ) -> None:
        self.algorithm: Algorithm = algorithm_of(public_key)
        self.public_key = public_key
        self.fingerprint = fingerprint(public_key)
        self.reference = reference
        self._verify_signatures = verify_signatures
        self._closed = False

    @abstractmethod
    def _sign(self, message: bytes) -> KeyResponse:
        """Have the key store sign the message (not a digest of it)."""

    async def _asign(self, message: bytes) -> KeyResponse:
        """Like ``_sign``; runs it in a worker thread unless a backend knows better."""
        # A caller that is cancelled need not wait for a slow key store.
        return await anyio.to_thread.run_sync(self._sign, message, abandon_on_cancel=True)

    def _close(self) -> None:
        """Release what the key holds; called once."""

    async def _aclose(self) -> None:
        """Like ``_close``, for what only a running event loop can release."""
        await anyio.to_thread.run_sync(self._close)

    @final
    def sign(self, message: bytes) -> bytes:
        """Sign a message.

        Args:
            message: the bytes to sign; never a digest, whatever the key store wants to be sent.

        Returns:
            Canonical signature bytes: 64 raw for Ed25519, DER for ECDSA, PKCS#1 v1.5 for RSA.

        Raises:
            InvalidSignatureError: what came back is no signature by this key over the message.
            SigningKeyError: the key store refused or failed, or the key is closed.
        """
        return self.produce(message).value

    @final
    async def asign(self, message: bytes) -> bytes:
        """Like ``sign``, without blocking the event loop."""
        return (await self.aproduce(message)).value

    @final
    def produce(self, message: bytes) -> Signature:
        """Like ``sign``, with the evidence."""
        begin = self._begin()
        return self._checked(message, self._sign(message), begin)

    @final
    async def aproduce(self, message: bytes) -> Signature:
        """Like ``asign``, with the evidence."""
        begin = self._begin()
        return self._checked(message, await self._asign(message), begin)

    def _begin(self) -> float:
        if self._closed:
            raise SigningKeyError(f"the key {self.reference} is closed; open it again to sign")
        return time.perf_counter()

    def _checked(self, message: bytes, response: KeyResponse, begin: float) -> Signature:
        if not isinstance(response, KeyResponse):
            raise InvalidSignatureError(
                f"the key {self.reference} answered with {type(response).__name__}; its backend "
                "is at fault: expected a KeyResponse"
            )
        try:
            if not isinstance(response.signature, bytes):
                raise EncodingError(f"expected bytes, found {type(response.signature).__name__}")
            if self._verify_signatures:
                verify(self.public_key, message, response.signature)
            else:
                check_form(self.public_key, response.signature)
        except (EncodingError, InvalidSignatureError) as error:
            raise InvalidSignatureError(self._mismatch(response, error)) from error
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

    def _mismatch(self, response: KeyResponse, error: Exception) -> str:
        version = f" (version {response.key_version} signed)" if response.key_version else ""
        request = f"; request id {response.request_id}" if response.request_id else ""
        return (
            f"the key {self.reference}{version} returned no {self.algorithm} signature by the "
            f"public key it had when it was opened ({self.fingerprint}): {error}. Nothing was "
            f"sent. Check whether the key was replaced or rotated{request}"
        )

    def require_fingerprint(self, expected: str) -> None:
        """Refuse the key unless it is the one that was pinned.

        Args:
            expected: SHA-256 of the DER public key in hex, with or without ``sha256:``.

        Raises:
            FingerprintMismatchError: another key.
            ConfigurationError: ``expected`` is no fingerprint.
        """
        if parse_fingerprint(expected) != self.fingerprint:
            raise FingerprintMismatchError(
                f"the key {self.reference} has the fingerprint {self.fingerprint}, and "
                f"{parse_fingerprint(expected)} is pinned: it is another key. If it was replaced "
                "on purpose, register the new public key with Dfns and pin its fingerprint"
            )

    def close(self) -> None:
        """Release what the key holds; it cannot sign afterwards. Closing twice is harmless."""
        if not self._closed:
            self._closed = True
            self._close()

    async def aclose(self) -> None:
        """Like ``close``, from within an event loop."""
        if not self._closed:
            self._closed = True
            await self._aclose()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.algorithm} {self.reference} {self.fingerprint}>"

    def __reduce__(self) -> NoReturn:
        raise TypeError(
            f"{type(self).__name__} does not pickle: it stands for a private key. Pass the "
            "configuration to the other process and open the key there"
        )
