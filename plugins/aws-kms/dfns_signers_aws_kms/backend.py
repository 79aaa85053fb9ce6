"""The ``aws-kms`` backend. What needs boto3 is imported when a key is opened."""

from __future__ import annotations

from collections.abc import Iterator

from dfns_signers.algorithms import Algorithm
from dfns_signers.backends.backend import Backend
from dfns_signers.backends.management import KeyDescription, ManagesKeys
from dfns_signers.signing_key import SigningKey
from dfns_signers_aws_kms.key_id import KeyId
from dfns_signers_aws_kms.options import AwsKmsOptions, CreateOptions, ListOptions


class AwsKmsBackend(Backend[AwsKmsOptions], ManagesKeys[CreateOptions, ListOptions]):
    """Opens, creates and lists signing keys in AWS KMS."""

    options = AwsKmsOptions
    create_options = CreateOptions
    list_options = ListOptions

    def open(self, options: AwsKmsOptions) -> SigningKey:
        """Open a key with a client of its own; see AwsKmsKey for what is refused."""
        from dfns_signers_aws_kms.client import kms_client  # noqa: PLC0415  # it imports boto3
        from dfns_signers_aws_kms.key import AwsKmsKey  # noqa: PLC0415  # it imports botocore

        region = KeyId.parse(options.key_id).region or options.region
        client = kms_client(options.model_copy(update={"region": region}))
        try:
            return AwsKmsKey(options.key_id, client=client, owns_client=True)
        except BaseException:
            client.close()
            raise

    def create(self, algorithm: Algorithm, options: CreateOptions) -> KeyDescription:
        """Create a key, give it its alias, and wait until it is enabled.

        Raises:
            SigningKeyError: the alias is taken, or AWS KMS refused or failed.
        """
        from dfns_signers_aws_kms.management import create_key  # noqa: PLC0415  # imports boto3

        return create_key(algorithm, options)

    def list_keys(self, options: ListOptions) -> Iterator[KeyDescription]:
        """Every key for signing in the account and region whose description may be read.

        Raises:
            SigningKeyError: AWS KMS refused or failed.
        """
        from dfns_signers_aws_kms.management import list_keys  # noqa: PLC0415  # imports boto3

        return list_keys(options)
