"""The ``aws-kms`` backend. What needs boto3 is imported when it is used first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
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
from dfns_signers_aws_kms.names import region_of
from dfns_signers_aws_kms.options import AwsKmsCreate, AwsKmsList, AwsKmsOptions


class AwsKmsBackend(
    Backend[AwsKmsOptions], ManagesKeys[AwsKmsCreate, AwsKmsList], DiagnosesKeys[AwsKmsOptions]
):
    """Opens, creates, lists and diagnoses signing keys in AWS KMS."""

    options = AwsKmsOptions
    create_options = AwsKmsCreate
    list_options = AwsKmsList

    def open(self, options: AwsKmsOptions) -> SigningKey:
        """Open a key; it shares its client with keys of equal settings.

        See AwsKmsKey for what is refused.
        """
        from dfns_signers_aws_kms.key import AwsKmsKey  # noqa: PLC0415  # it imports botocore
        from dfns_signers_aws_kms.shared_clients import CLIENTS  # noqa: PLC0415  # it, too

        lease = CLIENTS.lease(options.connection)
        try:
            return AwsKmsKey(
                options.key_id, client=lease.client, limits=options, release=lease.release
            )
        except BaseException:  # Ctrl-C and cancellation, too
            lease.release()
            raise

    def derived_options(self, signer: Mapping[str, Any]) -> Mapping[str, Any]:
        """The region of the key, where its ARN says it."""
        region = region_of(str(signer.get("key_id")))
        return {"region": region} if region else {}

    def suggestions(self, profile: str, folder: Path) -> Mapping[str, str | None]:
        """The region, and an alias with the name of the profile."""
        del folder
        return {"region": None, "alias": f"alias/dfns-{profile}"}

    def create(self, algorithm: Algorithm, options: AwsKmsCreate) -> KeyDescription:
        """Create a key, give it its alias, and wait up to a minute until it is enabled.

        Raises:
            SigningKeyError: the alias is taken, or AWS KMS refused or failed. If the key exists
                nevertheless, the message has its ARN.
        """
        from dfns_signers_aws_kms.creation import create_key  # noqa: PLC0415  # it imports botocore

        return create_key(algorithm, options)

    def find(self, algorithm: Algorithm, options: AwsKmsCreate) -> KeyDescription | None:
        """The key of an alias; one that was created for it and did not get it yet gets it here.

        Such a key is known by its description. It must be of the algorithm, and enabled or about to
        be.

        Raises:
            SigningKeyError: no alias is named, or AWS KMS refused or failed.
        """
        from dfns_signers_aws_kms.creation import find_key  # noqa: PLC0415  # it imports botocore

        return find_key(algorithm, options)

    def create_next(self, options: AwsKmsOptions) -> KeyDescription:
        """Create a key of the same spec, which is the next of a key that is configured.

        It is known by its description, which names the ARN of its predecessor. If that is
        configured by the alias ``alias/x``, it gets ``alias/x-2``, or the next number that is free.

        Raises:
            UnsupportedKeyError: Dfns does not accept keys of that spec or usage.
            SigningKeyError: AWS KMS refused or failed. If the next key exists nevertheless, the
                message has its ARN.
        """
        from dfns_signers_aws_kms.creation import (  # noqa: PLC0415  # it imports botocore
            create_next_key,
        )

        return create_next_key(options)

    def list_keys(self, options: AwsKmsList) -> Iterator[KeyDescription]:
        """Every signing key of the account and region whose description may be read."""
        from dfns_signers_aws_kms.management import list_keys  # noqa: PLC0415  # imports botocore

        return list_keys(options)

    def diagnose(self, options: AwsKmsOptions) -> Iterator[Finding]:
        """Examine the way to a key: AWS KMS and the caller, its state, kms:GetPublicKey, kms:Sign.

        AWS KMS is asked whether it would sign (DryRun); a server without dry runs signs what can
        never be a challenge.
        """
        from dfns_signers_aws_kms.diagnosis import diagnose  # noqa: PLC0415  # imports botocore

        return diagnose(options)

    def policy(self, options: AwsKmsOptions) -> Policy:
        """An IAM policy for one key.

        IAM knows a key by its ARN. Where another name is configured, AWS KMS is asked for it; where
        it does not answer, the policy is for the key of the caller that has that name.
        """
        from dfns_signers_aws_kms.policy import policy  # noqa: PLC0415  # imports botocore

        return policy(options)
