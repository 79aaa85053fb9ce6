"""The ``gcp-kms`` backend. What needs Google's packages is imported when it is used first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from dfns_signers.plugin import Algorithm, Backend, KeyDescription, ManagesKeys, SigningKey
from dfns_signers_gcp_kms.names import location_of
from dfns_signers_gcp_kms.options import GcpKmsCreate, GcpKmsList, GcpKmsOptions


class GcpKmsBackend(Backend[GcpKmsOptions], ManagesKeys[GcpKmsCreate, GcpKmsList]):
    """Opens, creates and lists signing keys in Google Cloud KMS."""

    options = GcpKmsOptions
    create_options = GcpKmsCreate
    list_options = GcpKmsList

    def open(self, options: GcpKmsOptions) -> SigningKey:
        """Open a key version with a client of its own; see GcpKmsKey for what is refused."""
        from dfns_signers_gcp_kms.client import connect  # noqa: PLC0415  # it imports grpc
        from dfns_signers_gcp_kms.key import GcpKmsKey  # noqa: PLC0415  # it imports grpc

        kms = connect(options)
        try:
            return GcpKmsKey(options.key_version, client=kms)
        except BaseException:
            kms.close()
            raise

    def derived_options(self, signer: Mapping[str, Any]) -> Mapping[str, Any]:
        """The location of the key version is what is listed."""
        location = location_of(str(signer.get("key_version")))
        return {"parent": location} if location else {}

    def create(self, algorithm: Algorithm, options: GcpKmsCreate) -> KeyDescription:
        """Create a key version, with its crypto key and key ring where that is asked for.

        Raises:
            UnsupportedKeyError: the protection level does not offer the algorithm, or a crypto key
                that exists has another.
            KeyNotFoundError: the key ring is missing, and ``create_key_ring`` is not set.
            SigningKeyError: the crypto key exists, and ``new_version`` is not set; or Cloud KMS
                refused or failed.
        """
        from dfns_signers_gcp_kms.management import create_key  # noqa: PLC0415  # imports grpc

        return create_key(algorithm, options)

    def list_keys(self, options: GcpKmsList) -> Iterator[KeyDescription]:
        """Every version of every signing key below the parent, in any state.

        Raises:
            SigningKeyError: Cloud KMS refused or failed.
        """
        from dfns_signers_gcp_kms.management import list_keys  # noqa: PLC0415  # imports grpc

        return list_keys(options)
