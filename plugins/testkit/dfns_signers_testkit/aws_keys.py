"""The keys and aliases that LocalStack and MiniStack start with. Needs the extra ``aws``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

import boto3
from botocore.exceptions import ClientError

from dfns_signers.algorithms import Algorithm
from dfns_signers_testkit.aws import ENVIRONMENT, LOCALSTACK, MINISTACK, REGION, LocalKms
from dfns_signers_testkit.local_signer import LocalSigner

if TYPE_CHECKING:
    from mypy_boto3_kms import KMSClient
    from mypy_boto3_kms.literals import KeySpecType

ALIASES: Final[Mapping[Algorithm, str]] = {
    algorithm: f"alias/dfns-{algorithm.lower()}" for algorithm in Algorithm
}

_KEY_SPECS: Final[Mapping[Algorithm, KeySpecType]] = {
    Algorithm.ED25519: "ECC_NIST_EDWARDS25519",
    Algorithm.ES256: "ECC_NIST_P256",
    Algorithm.ES256K: "ECC_SECG_P256K1",
    Algorithm.RS256: "RSA_2048",
}

# How LocalStack and MiniStack refuse a key spec that they do not have.
_UNKNOWN_KEY_SPEC: Final = frozenset({"ValidationException", "UnsupportedOperationException"})


def local_client(url: str) -> KMSClient:
    """A client for a local server, whatever AWS credentials this process has."""
    return boto3.client(
        "kms",
        region_name=REGION,
        endpoint_url=url,
        aws_access_key_id=ENVIRONMENT["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=ENVIRONMENT["AWS_SECRET_ACCESS_KEY"],
    )


def seed(client: KMSClient) -> dict[Algorithm, str]:
    """Create a key with an alias for each algorithm; what is there already stays.

    Args:
        client: of a local server; keys in a real account cost money.

    Returns:
        The alias for each algorithm that the server has keys for.

    Raises:
        ClientError: the server refuses to create a key for another reason than its key spec.
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
        key = client.create_key(KeySpec=_KEY_SPECS[algorithm], KeyUsage="SIGN_VERIFY")
    except ClientError as error:
        if error.response["Error"]["Code"] not in _UNKNOWN_KEY_SPEC:
            raise
        return False
    client.create_alias(AliasName=alias, TargetKeyId=key["KeyMetadata"]["KeyId"])
    return True


@contextmanager
def local_signers() -> Iterator[Sequence[LocalSigner]]:
    """Seeded keys on both servers; they run until the context ends."""
    with LocalKms(MINISTACK) as ministack, LocalKms(LOCALSTACK) as localstack:
        yield [signer for server in (ministack, localstack) for signer in _seeded(server)]


def _seeded(server: LocalKms) -> Iterator[LocalSigner]:
    for algorithm, alias in seed(local_client(server.url)).items():
        yield LocalSigner(f"{algorithm} {server.product.name}", server.signer(alias), ENVIRONMENT)
