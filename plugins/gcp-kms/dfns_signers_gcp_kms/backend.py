"""The backend ``gcp-kms``: opens, creates and lists keys."""

from __future__ import annotations

from collections.abc import Iterator

from dfns_signers.algorithms import Algorithm
from dfns_signers.backends.backend import Backend
from dfns_signers.backends.management import KeyDescription, ManagesKeys
from dfns_signers.signing_key import SigningKey
from dfns_signers_gcp_kms.options import GcpKmsCreateOptions, GcpKmsListOptions, GcpKmsOptions


class GcpKmsBackend(Backend[GcpKmsOptions], ManagesKeys[GcpKmsCreateOptions, GcpKmsListOptions]):
    """Keys in Google Cloud KMS. Google's packages are imported when they are needed."""

    options = GcpKmsOptions
    create_options = GcpKmsCreateOptions
    list_options = GcpKmsListOptions

    def open(self, options: GcpKmsOptions) -> SigningKey:
        """Open a key version; see GcpKmsKey for what is refused."""
        from dfns_signers_gcp_kms.connecting import open_key  # noqa: PLC0415  # loads the SDK

        return open_key(options)

    def create(self, algorithm: Algorithm, options: GcpKmsCreateOptions) -> KeyDescription:
        """Create a key version, with its crypto key and key ring where that is asked for."""
        from dfns_signers_gcp_kms.management import create_key  # noqa: PLC0415  # loads the SDK

        return create_key(algorithm, options)

    def list_keys(self, options: GcpKmsListOptions) -> Iterator[KeyDescription]:
        """Every version of every signing key below the parent, in whatever state."""
        from dfns_signers_gcp_kms.management import list_keys  # noqa: PLC0415  # loads the SDK

        return list_keys(options)
