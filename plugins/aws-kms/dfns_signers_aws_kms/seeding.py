"""The keys and aliases that a local server starts with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from botocore.exceptions import ClientError

from dfns_signers.algorithms import Algorithm
from dfns_signers_aws_kms.algorithms import created_spec
from dfns_signers_aws_kms.errors import error_code

if TYPE_CHECKING:
    from mypy_boto3_kms import KMSClient

ALIASES: Final[Mapping[Algorithm, str]] = {
    algorithm: f"alias/dfns-{algorithm.lower()}" for algorithm in Algorithm
}

# How LocalStack and MiniStack say that they have no keys of a spec.
_NO_SUCH_SPEC: Final = frozenset({"ValidationException", "UnsupportedOperationException"})


def seed(client: KMSClient) -> dict[Algorithm, str]:
    """Create a key with an alias for each algorithm; what is there already stays.

    Args:
        client: of a local server; keys in a real account cost money.

    Returns:
        The alias for each algorithm that the server has keys for.
    """
    pages = client.get_paginator("list_aliases").paginate()
    present = {alias["AliasName"] for page in pages for alias in page["Aliases"]}
    return {
        algorithm: alias
        for algorithm, alias in ALIASES.items()
        if alias in present or _created(client, algorithm, alias)
    }


def _created(client: KMSClient, algorithm: Algorithm, alias: str) -> bool:
    try:
        key = client.create_key(KeySpec=created_spec(algorithm).name, KeyUsage="SIGN_VERIFY")
    except ClientError as error:
        if error_code(error) not in _NO_SUCH_SPEC:
            raise
        return False
    client.create_alias(AliasName=alias, TargetKeyId=key["KeyMetadata"]["KeyId"])
    return True
