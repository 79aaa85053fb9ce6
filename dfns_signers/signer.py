"""Answer Dfns challenges with a signing key and a credential id."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from dfns_signers import worker_threads
from dfns_signers.abandoned_signatures import if_cancelled
from dfns_signers.announced_call import AnnouncedCall, CallAnswer
from dfns_signers.assertions import (
    Assertion,
    client_data,
    key_assertion,
    read_challenge,
    require_action_challenge,
    require_allowed,
)
from dfns_signers.closing import AsyncClosing, Closing
from dfns_signers.errors import ConfigurationError, SigningCancelledError
from dfns_signers.evidence import Evidence, Signature
from dfns_signers.hook_threads import run_hooks, run_observers
from dfns_signers.hooks import SigningHooks, SigningRequest
from dfns_signers.lazy_key import LazyKey
from dfns_signers.signing_key import SigningKey

if TYPE_CHECKING:
    from concurrent.futures import Future


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
class SupportsCallContext(Protocol):
    """A signer that wants to know which API call a challenge is for."""

    def for_call(self, call: AnnouncedCall) -> Signer:
        """A signer for the challenge of this one call."""


class KeySigner(Closing, AsyncClosing):
    """Signs challenges with one key, for one Key credential.

    Args:
        key: an opened signing key, of any backend; or a function that opens it, called once, at the
            first signature (and once more in a forked child).
        credential_id: ``credId`` of the credential that the key is registered as.
        plugins: objects or modules with ``before_sign``, ``after_sign``, ``sign_failed`` and
            ``call_answered`` hooks.

    Attributes:
        profile: the profile that it was configured by, for errors to name; None if it has none.

    Raises:
        ConfigurationError: the key is not a SigningKey, the credential id is not a string or is
            empty, or the plugins are not an iterable.
        PluginError: a plugin has a hook that does not exist.

    Example:
        >>> from dfns_signers import KeySigner, PemKey
        >>> signer = KeySigner(PemKey.from_file("key.pem"), credential_id="Y2kt…")  # doctest: +SKIP
        >>> assertion = signer.sign(challenge)  # doctest: +SKIP
    """

    def __init__(
        self,
        key: SigningKey | Callable[[], SigningKey],
        credential_id: str,
        *,
        plugins: Iterable[object] | SigningHooks = (),
    ) -> None:
        if not isinstance(credential_id, str):
            raise ConfigurationError(
                f"the credential id must be a string, not {type(credential_id).__name__}: give the "
                "'credId' that Dfns showed when the key was registered"
            )
        if not credential_id.strip():
            raise ConfigurationError(
                "the credential id is empty: give the 'credId' that Dfns showed when the key was "
                "registered"
            )
        if not isinstance(plugins, (Iterable, SigningHooks)):
            raise ConfigurationError(
                f"'plugins' must be an iterable of plugins, not {type(plugins).__name__}"
            )
        self._key = LazyKey(key)
        self.credential_id = credential_id
        self.profile: str | None = None
        self._hooks = (
            plugins
            if isinstance(plugins, SigningHooks)
            else SigningHooks((None, plugin) for plugin in plugins)
        )
        self._has_hooks = bool(self._hooks)
        self._call: AnnouncedCall | None = None

    @property
    def key(self) -> SigningKey:
        """The signing key, opened if it was not.

        Raises:
            SigningKeyError: it cannot be opened, or the signer was closed before it was.
        """
        return self._key.get()

    async def aopen(self) -> SigningKey:
        """The signing key, opened in a worker thread if it was not; raises as ``key`` does."""
        return await self._key.aget()

    def sign(self, challenge: Mapping[str, Any]) -> Assertion:
        """Answer a challenge.

        Args:
            challenge: the JSON object that ``POST /auth/action/init`` returned.

        Returns:
            ``{"kind": "Key", "credentialAssertion": {"credId", "clientData", "signature"}}``.

        Raises:
            ChallengeError: the challenge is malformed, or that of a registration.
            CredentialNotAllowedError: it does not allow this credential. No key was used.
            SigningRefusedError: a ``before_sign`` plugin refused. No key was used.
            SigningKeyError: the key cannot be opened, could not sign, or signed wrongly.
        """
        if self._has_hooks:
            return self._sign_with_hooks(challenge)
        message = self._message(challenge)
        return key_assertion(self.credential_id, message, self._key.get().sign(message))

    def _sign_with_hooks(self, challenge: Mapping[str, Any]) -> Assertion:
        request = self._request(challenge)
        try:
            message = self._message(challenge)
            key = self._key.get()
            request = request.with_key(key, message)
            self._hooks.before(request)
            signature = key.sign_with_evidence(
                request.message, abandoned=partial(self._report, request)
            )
        except Exception as error:
            self._hooks.failed(request, error)
            raise
        with if_cancelled(lambda: self._report_unused(signature.evidence)):  # Ctrl-C
            self._hooks.after(request, signature.evidence)
        return key_assertion(self.credential_id, request.message, signature.value)

    async def asign(self, challenge: Mapping[str, Any]) -> Assertion:
        """Like ``sign``, without blocking the event loop.

        A caller that is cancelled does not wait for the key store; what becomes of the signature is
        said to the observers.
        """
        if self._has_hooks:
            return await self._asign_with_hooks(challenge)
        message = self._message(challenge)
        key = await self._key.aget()
        return key_assertion(self.credential_id, message, await key.asign(message))

    async def _asign_with_hooks(self, challenge: Mapping[str, Any]) -> Assertion:
        request, may_block = self._request(challenge), self._hooks.may_block
        try:
            message = self._message(challenge)
            with if_cancelled(lambda: worker_threads.unwaited(self._report_cancelled, request)):
                key = await self._key.aget()
            request = request.with_key(key, message)
            cancelled = partial(self._report_cancelled, request)
            await run_hooks(self._hooks.before, request, may_block=may_block, if_left=cancelled)
            signature = await key.asign_with_evidence(
                request.message, abandoned=partial(self._report, request)
            )
        except Exception as error:
            await run_observers(self._hooks.failed, request, error, may_block=may_block)
            raise
        evidence = signature.evidence
        await run_observers(
            self._hooks.after,
            request,
            evidence,
            may_block=may_block,
            if_left=lambda _: self._report_unused(evidence),
        )
        return key_assertion(self.credential_id, request.message, signature.value)

    def _report_cancelled(self, request: SigningRequest, asked: Future[None] | None = None) -> None:
        """Show observers why no key was used: it was refused, or else the caller was cancelled."""
        refusal = asked.exception() if asked else None
        cancelled = SigningCancelledError(
            "the caller was cancelled before the key was used: no signature was made"
        )
        self._hooks.failed(request, refusal if isinstance(refusal, Exception) else cancelled)

    def _report(self, request: SigningRequest, outcome: Signature | Exception) -> None:
        """Show observers what became of a signature whose caller was cancelled."""
        if isinstance(outcome, Signature):
            self._hooks.after(request, outcome.evidence)
            self._report_unused(outcome.evidence)
        else:
            self._hooks.failed(request, outcome)

    def _report_unused(self, evidence: Evidence) -> None:
        """Show observers that the call is not sent for which nobody waits for a signature."""
        self.answered(
            CallAnswer(
                status=None,
                error=SigningCancelledError.__name__,
                error_id=None,
                seconds=evidence.duration,
                may_have_taken_effect=False,
            )
        )

    def for_call(self, call: AnnouncedCall) -> KeySigner:
        """The same signer, which shows its plugins the API call that the next challenge is for."""
        bound = copy.copy(self)
        bound._call = call  # noqa: SLF001  # its own copy
        return bound

    @property
    def observes_answers(self) -> bool:
        """Whether a plugin wants to know what came of a call."""
        return self._has_hooks and self._hooks.observes_answers

    @property
    def hooks_may_block(self) -> bool:
        """Whether ``answered`` may wait for something."""
        return self._has_hooks and self._hooks.may_block

    def answered(self, answer: CallAnswer) -> None:
        """Show the plugins what came of the call that this signer was made for."""
        if self._call is not None:
            self._hooks.answered(self._call, answer)

    def _message(self, challenge: Mapping[str, Any]) -> bytes:
        message = client_data("key.get", read_challenge(challenge))
        require_action_challenge(challenge)
        require_allowed(challenge, self.credential_id)
        return message

    def _request(self, challenge: Mapping[str, Any]) -> SigningRequest:
        return SigningRequest(
            credential_id=self.credential_id,
            key="a key that is not open",
            algorithm=None,
            challenge=challenge,
            message=b"",
            call=self._call,
            **({"id": self._call.id} if self._call else {}),
        )

    def close(self) -> None:
        """Close the key, if it was opened."""
        key = self._key.end()
        if key is not None:
            key.close()

    async def aclose(self) -> None:
        """Close the key from within an event loop, if it was opened."""
        await worker_threads.to_the_end(self.close)

    def __repr__(self) -> str:
        return f"<KeySigner {self.credential_id} with {self._key!r}>"
