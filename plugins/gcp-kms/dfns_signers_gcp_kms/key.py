"""A signing key in Cloud KMS."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, Final

from google.cloud.kms_v1 import AsymmetricSignRequest, AsymmetricSignResponse

from dfns_signers.plugin import Attempt, KeyResponse, SigningKey, outcome
from dfns_signers_gcp_kms.client import GcpKms
from dfns_signers_gcp_kms.integrity import check_signature
from dfns_signers_gcp_kms.names import split
from dfns_signers_gcp_kms.opening import open_version

if TYPE_CHECKING:
    from google.cloud.kms_v1 import KeyManagementServiceClient

# In protobuf: Google's classes around it take a multiple of the time.
_Request: Final[Any] = AsymmetricSignRequest.pb()


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
        self._task = f"sign with the key {key_version}"
        self._version = split(key_version)[1]

    def _sign(self, message: bytes) -> KeyResponse:
        request = self._request(message)
        signed: KeyResponse = self._kms.call(
            self._task, "asymmetric_sign", AsymmetricSignRequest.wrap(request), read=self._response
        )
        return signed

    async def _asign(self, message: bytes) -> KeyResponse:
        signing = self._kms.begin(self._task, self._request(message), read=self._response)
        if signing is None:
            return await super()._asign(message)
        # Counted of its own: its caller may be cancelled before it is done.
        inside = ExitStack()
        inside.enter_context(self._inside(admitted=True))
        signing.add_done_callback(lambda _: inside.close())
        self._pursue(signing)
        return await outcome(signing)

    def _request(self, message: bytes) -> Any:
        return _Request(name=self.reference, **self._algorithm.parameters(message))

    def _response(self, answer: Any, attempt: Attempt) -> KeyResponse:
        is_wrapped = isinstance(answer, AsymmetricSignResponse)
        raw = AsymmetricSignResponse.pb(answer) if is_wrapped else answer
        check_signature(self.reference, self._algorithm.verified, raw)
        return KeyResponse(raw.signature, key_version=self._version, attempts=attempt.number)

    def _close(self) -> None:
        self._kms.close()
