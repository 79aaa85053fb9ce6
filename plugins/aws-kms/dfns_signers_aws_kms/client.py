"""The client of AWS KMS: one for each key, with explicit timeouts, retries and pool."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import boto3
from botocore.config import Config

from dfns_signers.errors import ConfigurationError
from dfns_signers_aws_kms.errors import translated
from dfns_signers_aws_kms.options import AwsConnection
from dfns_signers_aws_kms.role import assume_role

if TYPE_CHECKING:
    from mypy_boto3_kms import KMSClient

RETRY_MODE: Final = "standard"
"""Said explicitly: botocore's default was another one before 1.44."""


def kms_client(connection: AwsConnection, *, session: boto3.Session | None = None) -> KMSClient:
    """Make a client; it may be shared between threads.

    Args:
        connection: how AWS KMS is reached, and as whom.
        session: where credentials and region come from, instead of ``connection.profile`` and the
            usual chain.

    Raises:
        ConfigurationError: profile, region or AWS configuration files are unusable.
        KeyAccessError: there are no credentials to assume the role with.
    """
    config = client_config(connection)
    with translated("set up AWS KMS"):
        session = session or boto3.Session(profile_name=connection.profile)
        region = connection.region or session.region_name
        if connection.role_arn is not None:
            session = assume_role(
                connection.role_arn, connection, session=session, region=region, config=config
            )
        try:
            return session.client(
                "kms", region_name=region, endpoint_url=connection.endpoint_url, config=config
            )
        except ValueError as error:
            raise ConfigurationError(
                f"cannot set up AWS KMS: {error}; correct 'endpoint_url' or AWS_ENDPOINT_URL"
            ) from error


def client_config(connection: AwsConnection) -> Config:
    """Timeouts, retries and size of the pool."""
    return Config(
        connect_timeout=connection.connect_timeout,
        read_timeout=connection.read_timeout,
        retries={"mode": RETRY_MODE, "total_max_attempts": connection.max_attempts},
        max_pool_connections=connection.max_connections,
        use_fips_endpoint=connection.use_fips_endpoint,
    )
