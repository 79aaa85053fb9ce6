"""Answer Dfns challenges with a signing key and a credential id."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping
from typing import Any, Protocol, runtime_checkable

import anyio.to_thread

from dfns_signers.assertions import (
    Assertion,
    client_data,
    key_assertion,
    read_challenge,
    require_allowed,
)
from dfns_signers.closing import AsyncClosing, Closing
from dfns_signers.errors import ConfigurationError
from dfns_signers.hooks import AnnouncedCall, SigningHooks, SigningRequest
from dfns_signers.signing_key import Signature, SigningKey


class Signer(Protocol):
    """Turns a challenge into an assertion.

    The same ``sign`` as the ``Signer`` of the official Python SDK, so that an implementation fits
    both; ``asign`` is its asynchronous form.
    """

    def sign(self, challenge: Mapping[str, Any]) -> Assertion:
        """Answer the JSON object that ``POST /auth/action/init`` returned."""

    async def asign(self, challenge: Mapping[str, Any]) -> Assertion:
        """Like ``sign``, without blocking the event loop."""


@runtime_checkable
class SeesCall(Protocol):
    """A signer that wants to know which API call a challenge is for."""

    def for_call(self, call: AnnouncedCall) -> Signer:
        """A signer for the challenge of this one call."""


class KeySigner(Closing, AsyncClosing):
    """Signs challenges with one key, for one Key credential.

    Args:
        key: an opened signing key, of any backend.
        credential_id: ``credId`` of the credential that the key is registered as.
        plugins: objects or modules with ``before_sign`` and ``after_sign`` hooks.

    Raises:
        ConfigurationError: the key is no SigningKey, or the credential id is empty.
        PluginError: a plugin has a hook that does not exist.

    Example:
        >>> from dfns_signers import KeySigner, PemKey
        >>> signer = KeySigner(PemKey.from_file("key.pem"), credential_id="Y2kt…")  # doctest: +SKIP
        >>> assertion = signer.sign(challenge)  # doctest: +SKIP
    """

    def __init__(
        self,
        key: SigningKey,
        credential_id: str,
        *,
        plugins: Iterable[object] | SigningHooks = (),
    ) -> None:
        if not isinstance(key, SigningKey):
            raise ConfigurationError(
                f"expected a signing key, found {type(key).__name__}: open one, such as with "
                "PemKey.from_file(path), or use load_signer()"
            )
        if not credential_id.strip():
            raise ConfigurationError(
                "the credential id is empty: give the 'credId' that Dfns showed when the key was "
                "registered"
            )
        self.key = key
        self.credential_id = credential_id
        self._hooks = (
            plugins
            if isinstance(plugins, SigningHooks)
            else SigningHooks((None, plugin) for plugin in plugins)
        )
        self._call: AnnouncedCall | None = None

    def sign(self, challenge: Mapping[str, Any]) -> Assertion:
        """Answer a challenge.

        Args:
            challenge: the JSON object that ``POST /auth/action/init`` returned.

        Returns:
            ``{"kind": "Key", "credentialAssertion": {"credId", "clientData", "signature"}}``.

        Raises:
            ChallengeError: the challenge is malformed.
            CredentialNotAllowedError: it does not allow this credential. No key was used.
            SigningRefusedError: a ``before_sign`` plugin refused. No key was used.
            SigningKeyError: the key could not sign, or signed wrongly.
        """
        request = self._request(challenge)
        self._hooks.before(request)
        signature = self.key.produce(request.message)
        self._hooks.after(request, signature.evidence)
        return self._assertion(request, signature)

    async def asign(self, challenge: Mapping[str, Any]) -> Assertion:
        """Like ``sign``, without blocking the event loop."""
        request = self._request(challenge)
        if not self._hooks:
            return self._assertion(request, await self.key.aproduce(request.message))
        # Guards and observers are plain functions, and may well ask a database or write a file.
        await anyio.to_thread.run_sync(self._hooks.before, request)
        signature = await self.key.aproduce(request.message)
        await anyio.to_thread.run_sync(self._hooks.after, request, signature.evidence)
        return self._assertion(request, signature)

    def for_call(self, call: AnnouncedCall) -> Signer:
        """The same signer, telling its plugins which API call the next challenge is for."""
        bound = copy.copy(self)
        bound._call = call  # noqa: SLF001  # its own copy
        return bound

    def _request(self, challenge: Mapping[str, Any]) -> SigningRequest:
        text = read_challenge(challenge)
        require_allowed(challenge, self.credential_id)
        return SigningRequest(
            credential_id=self.credential_id,
            key=self.key.reference,
            algorithm=self.key.algorithm,
            challenge=challenge,
            message=client_data("key.get", text),
            call=self._call,
        )

    def _assertion(self, request: SigningRequest, signature: Signature) -> Assertion:
        return key_assertion(self.credential_id, request.message, signature.value)

    def close(self) -> None:
        """Close the key."""
        self.key.close()

    async def aclose(self) -> None:
        """Close the key from within an event loop."""
        await self.key.aclose()

    def __repr__(self) -> str:
        return f"<KeySigner {self.credential_id} with {self.key!r}>"
