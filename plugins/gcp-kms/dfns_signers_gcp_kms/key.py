"""A signing key in Cloud KMS."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dfns_signers.plugin import Attempt, KeyResponse, SigningKey
from dfns_signers_gcp_kms.client import GcpKms
from dfns_signers_gcp_kms.integrity import check_signature
from dfns_signers_gcp_kms.names import split
from dfns_signers_gcp_kms.opening import open_version

if TYPE_CHECKING:
    from google.cloud.kms_v1 import AsymmetricSignResponse, KeyManagementServiceClient


class GcpKmsKey(SigningKey):
    """A version of an asymmetric signing key in Google Cloud KMS.

    Its public key is read when it is made, which proves that the version can be used.

    Args:
        key_version: full name, ``projects/…/cryptoKeyVersions/NUMBER``.
        client: Google's client, over gRPC: the one over REST raises errors of another library. It
            may be shared, and stays yours to close. Or a ``GcpKms``, which has limits of its own;
            closing the key closes its client if it owns it.

    Raises:
        ConfigurationError: the name is that of a crypto key, or not a name of Cloud KMS.
        UnsupportedKeyError: Dfns does not accept signatures with its algorithm.
        KeyStateError: the version is not enabled.
        SigningKeyError: it is missing, denied or unreachable, or this process was forked from one
            that used gRPC.
    """

    def __init__(self, key_version: str, *, client: KeyManagementServiceClient | GcpKms) -> None:
        self._kms = client if isinstance(client, GcpKms) else GcpKms(client)
        public_key, self._algorithm = open_version(self._kms, key_version)
        super().__init__(public_key, reference=key_version)

    def _sign(self, message: bytes) -> KeyResponse:
        fields = {"name": self.reference, **self._algorithm.parameters(message)}
        task = f"sign with the key {self.reference}"
        signed: KeyResponse = self._kms.call(task, "asymmetric_sign", fields, read=self._response)
        return signed

    def _response(self, answer: AsymmetricSignResponse, attempt: Attempt) -> KeyResponse:
        check_signature(self.reference, self._algorithm.verified, answer)
        version = split(self.reference)[1]
        return KeyResponse(answer.signature, key_version=version, attempts=attempt.number)

    def _close(self) -> None:
        self._kms.close()
