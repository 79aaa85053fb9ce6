"""A signing key in AWS KMS."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from weakref import WeakKeyDictionary

from anyio import CapacityLimiter
from anyio.lowlevel import RunVar

from dfns_signers.plugin import (
    Attempt,
    KeyResponse,
    RequestLimits,
    SigningKey,
    errors,
    explained,
    quoted,
)
from dfns_signers_aws_kms.client import AwsKms
from dfns_signers_aws_kms.errors import PROVIDER, explain, request_id
from dfns_signers_aws_kms.names import KeyId
from dfns_signers_aws_kms.opening import find_key, prove_usable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from mypy_boto3_kms import KMSClient


MAX_AT_A_TIME: Final = 32
"""Asynchronous signatures of a key in an event loop: with more, at a latency of 50 ms, the loop
waits longer than 25 ms for its own turn."""

_turns: Final[RunVar[WeakKeyDictionary[AwsKmsKey, CapacityLimiter]]] = RunVar(
    "dfns_signers_aws_kms_turns"
)


class AwsKmsKey(SigningKey):
    """A key in AWS KMS, found, and proved to be able to sign.

    It is used by its ARN from then on, so that an alias that is moved does not exchange it. A
    forked child must open it again.

    Args:
        key_id: key id, key ARN, alias name or alias ARN.
        client: a client of AWS KMS for the key's region; ``kms_client`` makes one. It may be
            shared: ``close`` leaves it alone unless ``owns_client`` says otherwise.
        limits: how often a request is sent, and how long an operation may take; for a client that
            does not repeat by itself. By default each request is given to the client once.
        owns_client: close the client with the key.
        release: called when the key is closed, such as to give back a client that is shared.

    Raises:
        ConfigurationError: ``key_id`` has none of those forms.
        KeyNotFoundError, KeyAccessError, KeyStateError, UnsupportedKeyError: the key cannot sign.
        KeyStoreUnavailableError: AWS KMS was not reached, or failed.
    """

    def __init__(
        self,
        key_id: str,
        *,
        client: KMSClient,
        limits: RequestLimits | None = None,
        owns_client: bool = False,
        release: Callable[[], None] | None = None,
    ) -> None:
        self._kms = AwsKms(client, limits)
        self._give_back = client.close if owns_client else release
        name = _parsed(key_id)
        with explained(f"open the key {key_id}", provider=PROVIDER, explain=explain):
            arn, self._spec, public_key = find_key(self._kms, name)
            prove_usable(self._kms, arn, self._spec)
        super().__init__(public_key, reference=arn)

    def _sign(self, message: bytes) -> KeyResponse:
        request = self._spec.request(self.reference, message)
        return self._kms.ask(
            f"sign with the key {self.reference}",
            lambda attempt: self._response(self._kms.client.sign(**request), attempt),
        )

    async def _asign(self, message: bytes) -> KeyResponse:
        # What waits gets its thread from the event loop, which has its turn that way: threads that
        # take the next signature by themselves leave it no processor time.
        async with _turns_of(self):
            return await super()._asign(message)

    def _response(self, answer: Mapping[str, Any], attempt: Attempt) -> KeyResponse:
        details = answer.get("ResponseMetadata", {})
        for member, expected in (
            ("KeyId", self.reference),
            ("SigningAlgorithm", self._spec.signing_algorithm),
        ):
            if answer.get(member) != expected:
                raise self._no_signature(
                    f"has {member} {quoted(repr(answer.get(member)))}", details
                )
        if not answer.get("Signature"):
            raise self._no_signature("has no Signature", details)
        return KeyResponse(
            answer["Signature"],
            request_id=request_id(details),
            attempts=attempt.number + details.get("RetryAttempts", 0),
        )

    def _no_signature(self, what: str, details: Mapping[str, Any]) -> errors.InvalidSignatureError:
        return errors.InvalidSignatureError(
            f"the answer of AWS KMS to a request for a {self._spec.signing_algorithm} signature "
            f"with the key {self.reference} {what}; nothing was sent to Dfns. Check 'endpoint_url' "
            "and what stands between it and this process (AWS request id "
            f"{request_id(details) or 'unknown'})"
        )

    def _close(self) -> None:
        if self._give_back is not None:
            self._give_back()


def _turns_of(key: AwsKmsKey) -> CapacityLimiter:
    """The limiter of a key in the running event loop."""
    turns = _turns.get(None)
    if turns is None:
        _turns.set(turns := WeakKeyDictionary())
    return turns.setdefault(key, CapacityLimiter(MAX_AT_A_TIME))


def _parsed(key_id: str) -> KeyId:
    try:
        return KeyId.parse(key_id)
    except ValueError as error:
        raise errors.ConfigurationError(f"{key_id!r} names no key of AWS KMS: {error}") from None
