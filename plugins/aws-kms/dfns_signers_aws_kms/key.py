"""A signing key in AWS KMS."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dfns_signers.errors import ConfigurationError, InvalidSignatureError
from dfns_signers.signing_key import KeyResponse, SigningKey
from dfns_signers_aws_kms.errors import translated
from dfns_signers_aws_kms.key_id import KeyId
from dfns_signers_aws_kms.proof import find_key, prove_usable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mypy_boto3_kms import KMSClient


class AwsKmsKey(SigningKey):
    """A key in AWS KMS, found, and proved to be able to sign.

    It is used by its ARN from then on, so that an alias that is moved does not exchange it.

    Args:
        key_id: key id, key ARN, alias name or alias ARN.
        client: a client of AWS KMS for the key's region; ``kms_client`` makes one. It may be
            shared: ``close`` leaves it alone unless ``owns_client`` says otherwise.
        owns_client: close the client with the key.

    Raises:
        ConfigurationError: ``key_id`` has none of those forms.
        KeyNotFoundError, KeyAccessError, KeyStateError, UnsupportedKeyError: the key cannot sign.
        KeyStoreUnavailableError: AWS KMS was not reached, or failed.
    """

    def __init__(self, key_id: str, *, client: KMSClient, owns_client: bool = False) -> None:
        found = find_key(client, _parsed(key_id))
        super().__init__(found.public_key, reference=found.arn)
        self._client = client
        self._owns_client = owns_client
        self._spec = found.spec
        prove_usable(client, found)

    def _sign(self, message: bytes) -> KeyResponse:
        members = self._spec.members(message)
        with translated(f"sign with the key {self.reference}"):
            answer = self._client.sign(KeyId=self.reference, **members)
        return self._response(answer)

    def _response(self, answer: Mapping[str, Any]) -> KeyResponse:
        details = answer.get("ResponseMetadata", {})
        for member, expected in (
            ("KeyId", self.reference),
            ("SigningAlgorithm", self._spec.signing_algorithm),
        ):
            if answer.get(member) != expected:
                raise self._no_signature(f"says {member} {answer.get(member)!r}", details)
        if not answer.get("Signature"):
            raise self._no_signature("has no Signature", details)
        return KeyResponse(
            answer["Signature"],
            request_id=details.get("RequestId"),
            attempts=details.get("RetryAttempts", 0) + 1,
        )

    def _no_signature(self, what: str, details: Mapping[str, Any]) -> InvalidSignatureError:
        return InvalidSignatureError(
            f"the answer of AWS KMS to a request for a {self._spec.signing_algorithm} signature "
            f"with the key {self.reference} {what}; nothing was sent. Check 'endpoint_url' and "
            f"what stands between it and this process (AWS request id "
            f"{details.get('RequestId') or 'unknown'})"
        )

    def _close(self) -> None:
        if self._owns_client:
            self._client.close()


def _parsed(key_id: str) -> KeyId:
    try:
        return KeyId.parse(key_id)
    except ValueError as error:
        raise ConfigurationError(f"{key_id!r} names no key of AWS KMS: {error}") from None
