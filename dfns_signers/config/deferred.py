"""A signer whose key is opened at the first signature, and off the event loop."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any

import anyio.to_thread

from dfns_signers.assertions import Assertion
from dfns_signers.closing import AsyncClosing, Closing
from dfns_signers.errors import SigningKeyError
from dfns_signers.hooks import AnnouncedCall
from dfns_signers.signer import KeySigner, Signer


class DeferredSigner(Closing, AsyncClosing):
    """Opens a KeySigner once, when it is first needed.

    Args:
        open_signer: opens it; may block, and is run again at the next signature if it fails.
    """

    def __init__(self, open_signer: Callable[[], KeySigner]) -> None:
        self._open_signer = open_signer
        self._signer: KeySigner | None = None
        self._closed = False
        self._lock = threading.Lock()

    def open(self) -> KeySigner:
        """The opened signer.

        Raises:
            SigningKeyError: the key cannot be opened, or the signer was closed before it was.
        """
        with self._lock:
            if self._closed and self._signer is None:
                raise SigningKeyError("the signer is closed; assemble another one to sign")
            if self._signer is None:
                self._signer = self._open_signer()
            return self._signer

    async def aopen(self) -> KeySigner:
        """Like ``open``, in a worker thread."""
        return await anyio.to_thread.run_sync(self.open) if self._signer is None else self._signer

    def sign(self, challenge: Mapping[str, Any]) -> Assertion:
        """Answer a challenge; see ``KeySigner.sign``."""
        return self.open().sign(challenge)

    async def asign(self, challenge: Mapping[str, Any]) -> Assertion:
        """Answer a challenge without blocking the event loop."""
        return await (await self.aopen()).asign(challenge)

    def for_call(self, call: AnnouncedCall) -> Signer:
        """The same signer, telling its plugins which API call the next challenge is for."""
        return _ForCall(self, call)

    def close(self) -> None:
        """Close the key, if it was opened."""
        signer = self._end()
        if signer is not None:
            signer.close()

    async def aclose(self) -> None:
        """Close the key from within an event loop, if it was opened."""
        signer = await anyio.to_thread.run_sync(self._end)
        if signer is not None:
            await signer.aclose()

    def _end(self) -> KeySigner | None:
        # Waits for an opening that is under way, so that no key stays open.
        with self._lock:
            self._closed = True
            return self._signer

    def __repr__(self) -> str:
        return f"<DeferredSigner {self._signer or 'not opened yet'}>"


class _ForCall:
    def __init__(self, signer: DeferredSigner, call: AnnouncedCall) -> None:
        self._deferred = signer
        self._call = call

    def sign(self, challenge: Mapping[str, Any]) -> Assertion:
        return self._deferred.open().for_call(self._call).sign(challenge)

    async def asign(self, challenge: Mapping[str, Any]) -> Assertion:
        return await (await self._deferred.aopen()).for_call(self._call).asign(challenge)
