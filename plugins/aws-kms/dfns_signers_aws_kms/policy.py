"""The IAM policy that opening a key and signing with it take."""

from __future__ import annotations

import json
from contextlib import closing, suppress
from typing import Any, Final

from botocore.exceptions import BotoCoreError

from dfns_signers.plugin import Policy, deadlines, errors, explained
from dfns_signers_aws_kms.client import kms_client, text
from dfns_signers_aws_kms.errors import PROVIDER, explain
from dfns_signers_aws_kms.names import KeyId, is_key_arn
from dfns_signers_aws_kms.options import AwsKmsOptions
from dfns_signers_aws_kms.origin import region_in
from dfns_signers_aws_kms.safe_client import SafeSession

# Seconds; the policy is for whatever has the name if AWS KMS says no more by then.
_PATIENCE: Final = 5.0

ACTIONS: Final = ("kms:DescribeKey", "kms:GetPublicKey", "kms:Sign")

# A name without an account is one of the caller's account.
_OWN_ACCOUNT: Final = {"StringEquals": {"aws:ResourceAccount": "${aws:PrincipalAccount}"}}


def policy(options: AwsKmsOptions) -> Policy:
    """See the backend."""
    key_id = KeyId.parse(options.key_id)
    if not is_key_arn(key_id.text):
        key_id = _resolved(options) or key_id
    place, _, name = key_id.text.rpartition(":")
    conditions: dict[str, Any] = {}
    if not place:
        place = _own_place(options)
        conditions |= _OWN_ACCOUNT
    if key_id.is_alias:
        # Not kms:RequestAlias: an open key is used by its ARN.
        conditions["ForAnyValue:StringEquals"] = {"kms:ResourceAliases": [name]}
        name = "key/*"
    statement = {
        "Effect": "Allow",
        "Action": ACTIONS,
        "Resource": f"{place}:key/{name.removeprefix('key/')}",
        **({"Condition": conditions} if conditions else {}),
    }
    document = {"Version": "2012-10-17", "Statement": [statement]}
    return Policy("IAM policy", json.dumps(document, indent=2) + "\n")


def _resolved(options: AwsKmsOptions) -> KeyId | None:
    """The ARN of the key that a name leads to; None where AWS KMS does not say it."""
    with (
        suppress(errors.DfnsSignersError),
        deadlines.within(_PATIENCE),
        explained(f"look for the key {options.key_id}", provider=PROVIDER, explain=explain),
        closing(kms_client(options.connection, repeats=False)) as client,
    ):
        metadata = client.describe_key(KeyId=options.key_id)["KeyMetadata"]
        return KeyId.parse(text(metadata, "Arn"))
    return None


def _own_place(options: AwsKmsOptions) -> str:
    """The ARN of a key of the caller's account, up to the account."""
    partition, region = "aws", options.region
    try:
        session = SafeSession(profile=options.profile)
        region = region_in(session, options.connection)
        partition = session.get_partition_for_region(region) if region else partition
    except BotoCoreError:
        pass  # what cannot be opened either; opening says why
    return f"arn:{partition}:kms:{region or '*'}:*"
