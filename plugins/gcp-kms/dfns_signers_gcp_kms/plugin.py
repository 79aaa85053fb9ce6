"""The ``gcp-kms`` backend. What needs Google's packages is imported when it is used first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from dfns_signers.plugin import (
    Algorithm,
    Backend,
    DiagnosesKeys,
    Finding,
    KeyDescription,
    ManagesKeys,
    Policy,
    SigningKey,
)
from dfns_signers_gcp_kms.names import location_of
from dfns_signers_gcp_kms.options import GcpKmsCreate, GcpKmsList, GcpKmsOptions


class GcpKmsBackend(
    Backend[GcpKmsOptions],
    ManagesKeys[GcpKmsCreate, GcpKmsList],
    DiagnosesKeys[GcpKmsOptions],
):
    """Opens, creates, lists and examines signing keys in Google Cloud KMS."""

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
        except BaseException:  # Ctrl-C and cancellation, too
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

    def find(self, algorithm: Algorithm, options: GcpKmsCreate) -> KeyDescription | None:
        """The newest version of a crypto key that is enabled or being generated.

        A version of the algorithm comes before others. A crypto key without versions, which an
        interrupted creation left, gets its first one; a version that is being generated is waited
        for. With ``new_version`` only a version that is being generated is found: an enabled one
        may be what the new one is to follow.

        Returns:
            None where the crypto key is missing, or has versions and none that can sign: ``create``
            says what to do then.

        Raises:
            UnsupportedKeyError: it has another protection level or size than the options ask for.
            KeyStateError: the version is not generated in time.
            SigningKeyError: Cloud KMS refused or failed.
        """
        from dfns_signers_gcp_kms.management import find_key  # noqa: PLC0415  # imports grpc

        return find_key(algorithm, options)

    def create_next(self, options: GcpKmsOptions) -> KeyDescription:
        """The next version of the crypto key of a configured one, with the same algorithm.

        It is the lowest version above the configured one that is enabled or being generated; a new
        one is created if there is none.

        Raises:
            ConfigurationError: ``key_version`` is not the name of a version.
            UnsupportedKeyError: the crypto key gives new versions another algorithm.
            KeyStateError: the version is not generated in time.
            SigningKeyError: Cloud KMS refused or failed.
        """
        from dfns_signers_gcp_kms.management import create_next  # noqa: PLC0415  # imports grpc

        return create_next(options)

    def diagnose(self, options: GcpKmsOptions) -> Iterator[Finding]:
        """Ask for the permissions (TestIamPermissions), then for the public key.

        Whether a signature is permitted is a warning where Cloud KMS does not say it.
        """
        from dfns_signers_gcp_kms.diagnosis import diagnose  # noqa: PLC0415  # imports grpc

        return diagnose(options)

    def policy(self, options: GcpKmsOptions) -> Policy:
        """A custom role with the two permissions, and its binding on the crypto key."""
        from dfns_signers_gcp_kms.policy import policy_for  # noqa: PLC0415  # imports grpc

        return policy_for(options)

    def list_keys(self, options: GcpKmsList) -> Iterator[KeyDescription]:
        """Every version of every signing key below the parent, in any state.

        Raises:
            SigningKeyError: Cloud KMS refused or failed.
        """
        from dfns_signers_gcp_kms.management import list_keys  # noqa: PLC0415  # imports grpc

        return list_keys(options)
