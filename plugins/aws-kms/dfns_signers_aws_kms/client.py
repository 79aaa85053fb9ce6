"""The client of AWS KMS: one for each key, with explicit timeouts, retries and pool."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

import boto3
from botocore.config import Config

from dfns_signers.errors import ConfigurationError
from dfns_signers_aws_kms.errors import translated, unreadable_credentials
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
        ConfigurationError: profile, region or AWS configuration files are unusable, or another
            endpoint than a FIPS one is configured in AWS while FIPS is asked for.
        KeyAccessError: the source of the credentials fails, or there are none to assume the role
            with.
    """
    config = client_config(connection)
    with translated("set up AWS KMS"):
        session = session or boto3.Session(profile_name=connection.profile)
        region = connection.region or session.region_name
        _resolve_credentials(session)
        if connection.role_arn is not None:
            session = assume_role(
                connection.role_arn, connection, session=session, region=region, config=config
            )
        try:
            client = session.client(
                "kms", region_name=region, endpoint_url=connection.endpoint_url, config=config
            )
        except ValueError as error:
            raise ConfigurationError(
                f"cannot set up AWS KMS: {error}; correct 'endpoint_url' or AWS_ENDPOINT_URL"
            ) from error
    if connection.use_fips_endpoint:
        _require_fips(client)
    return client


def _resolve_credentials(session: boto3.Session) -> None:
    """Here, since what fails in their source would look like a fault of the endpoint later."""
    try:
        session.get_credentials()
    except ValueError as error:
        raise unreadable_credentials("set up AWS KMS", error) from None


def _require_fips(client: KMSClient) -> None:
    """Refuse what botocore prefers to the FIPS endpoint without a word."""
    host = urlsplit(client.meta.endpoint_url).hostname or ""
    if "kms-fips" not in host.split("."):
        client.close()
        raise ConfigurationError(
            f"'use_fips_endpoint' is true, and the AWS configuration leads to {host}: remove "
            "AWS_ENDPOINT_URL, AWS_ENDPOINT_URL_KMS and 'endpoint_url' of the AWS profile, or "
            "name the FIPS endpoint there"
        )


def client_config(connection: AwsConnection) -> Config:
    """Timeouts, retries and size of the pool."""
    return Config(
        connect_timeout=connection.connect_timeout,
        read_timeout=connection.read_timeout,
        retries={"mode": RETRY_MODE, "total_max_attempts": connection.max_attempts},
        max_pool_connections=connection.max_connections,
        use_fips_endpoint=connection.use_fips_endpoint,
    )
