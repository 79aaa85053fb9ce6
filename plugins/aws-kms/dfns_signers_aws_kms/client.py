"""The client of AWS KMS: where it goes, as whom, and how it is asked."""

from __future__ import annotations

import time
from collections.abc import Callable, Container
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from dfns_signers.plugin import (
    Attempt,
    KeyStore,
    RequestLimits,
    errors,
    explained,
)
from dfns_signers_aws_kms.errors import PROVIDER, error_code, explain, explain_source
from dfns_signers_aws_kms.options import AwsKmsConnection
from dfns_signers_aws_kms.role import session_of_role
from dfns_signers_aws_kms.safe_client import SafeSession, safe_client

if TYPE_CHECKING:
    from mypy_boto3_kms import KMSClient
    from mypy_boto3_kms.type_defs import KeyMetadataTypeDef

T = TypeVar("T")


class AwsKms(KeyStore):
    """AWS KMS as it is asked with one client; safe to use from several threads.

    Args:
        client: a client of AWS KMS.
        limits: how often a request is sent, and how long an operation may take; by default it is
            sent once, and what else happens is up to the client.
        sleep: waits for some seconds.
        clock: seconds, monotonic.
    """

    def __init__(
        self,
        client: KMSClient,
        limits: RequestLimits | None = None,
        *,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(
            PROVIDER,
            explain,
            max_attempts=limits.max_attempts if limits else 1,
            timeout=limits.timeout if limits else None,
            sleep=sleep,
            clock=clock,
        )
        self.client = client

    def ask_unless(self, codes: Container[str], task: str, send: Callable[[], T]) -> T | None:
        """Like ``ask``; None where AWS answers with one of some error codes."""

        def send_unless(_: Attempt) -> T | None:
            try:
                return send()
            except ClientError as error:
                if error_code(error) not in codes:
                    raise
                return None

        return self.ask(task, send_unless)

    def describe(
        self, task: str, key_id: str, *, unless: Container[str]
    ) -> KeyMetadataTypeDef | None:
        """What AWS says about a key; None where it answers with one of some error codes."""
        return self.ask_unless(
            unless, task, lambda: self.client.describe_key(KeyId=key_id)["KeyMetadata"]
        )


def kms_client(
    connection: AwsKmsConnection, *, session: boto3.Session | None = None, repeats: bool = True
) -> KMSClient:
    """Make a client; it may be shared between threads.

    Args:
        connection: how AWS KMS is reached, and as whom.
        session: where credentials and region come from, instead of ``connection.profile`` and the
            usual chain; where it asks for its credentials itself is not checked.
        repeats: whether the client itself makes ``connection.max_attempts`` attempts at a request.

    Raises:
        ConfigurationError: profile, region or AWS configuration files are unusable, or an endpoint
            that is configured in AWS has plain http to another machine, or is not a FIPS one while
            FIPS is asked for.
        KeyAccessError: the source of the credentials fails, or there are none to assume the role
            with.
    """
    limits = _limits(connection, connection.max_attempts if repeats else 1)
    pool = Config(
        max_pool_connections=connection.max_connections,
        use_fips_endpoint=connection.use_fips_endpoint,
    )
    with explained("set up AWS KMS", provider=PROVIDER, explain=explain_source):
        session = session or _session(connection.profile, limits)
        # Now, since what fails in their source would look like a fault of the endpoint later.
        session.get_credentials()
        region = connection.region or session.region_name
        settings: dict[str, Any] = {"region_name": region, "config": limits.merge(pool)}
        if connection.role_arn is not None:
            new_client = partial(safe_client, session.client, **settings)
            session = session_of_role(connection.role_arn, connection, session, new_client)
        address = connection.endpoint_url
        client: KMSClient = safe_client(session.client, "kms", endpoint_url=address, **settings)
    if connection.use_fips_endpoint:
        _require_fips(client)
    return client


def _limits(connection: AwsKmsConnection, max_attempts: int) -> Config:
    return Config(
        connect_timeout=connection.connect_timeout,
        read_timeout=connection.read_timeout,
        # The mode is explicit, since botocore's default was another one before 1.44.
        retries={"mode": "standard", "total_max_attempts": max_attempts},
    )


def _session(profile: str | None, limits: Config) -> boto3.Session:
    """A session whose own requests for credentials have the same limits, and are as safe."""
    session = SafeSession(profile=profile)
    session.set_default_client_config(limits)
    return boto3.Session(botocore_session=session)


def _require_fips(client: KMSClient) -> None:
    """Refuse what botocore prefers to the FIPS endpoint without a word."""
    host = urlsplit(client.meta.endpoint_url).hostname or ""
    if "kms-fips" not in host.split("."):
        client.close()
        raise errors.ConfigurationError(
            f"'use_fips_endpoint' is true, and the AWS configuration leads to {host}: remove "
            "AWS_ENDPOINT_URL, AWS_ENDPOINT_URL_KMS and 'endpoint_url' of the AWS profile, or "
            "name the FIPS endpoint there"
        )
