"""The client of AWS KMS: where it goes, as whom, and how it is asked."""

from __future__ import annotations

import time
from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

from botocore.config import Config
from botocore.exceptions import ClientError, NoCredentialsError

from dfns_signers.plugin import (
    Attempt,
    KeyStore,
    RequestLimits,
    errors,
    explained,
    quoted,
)
from dfns_signers_aws_kms.errors import PROVIDER, error_code, explain, explain_source
from dfns_signers_aws_kms.options import AwsKmsConnection
from dfns_signers_aws_kms.origin import given_origin, own_origin
from dfns_signers_aws_kms.role import session_of_role

if TYPE_CHECKING:
    import boto3
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


def text(members: Mapping[str, Any], name: str) -> str:
    """A member of an answer, fit for a message; empty if it is missing.

    Raises:
        TypeError: it is not a string.
    """
    value = members.get(name, "")
    if not isinstance(value, str):
        raise TypeError(f"{name} is not a string")
    return quoted(value)


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
    return connect(connection, session=session, repeats=repeats).client


@dataclass(frozen=True, slots=True)
class Connected:
    """A client that was made.

    Attributes:
        client: the client.
        is_shareable: whether its credentials are those that another client of the same settings
            would have: they are renewed from their source, or stand in the settings themselves.
        new_client: makes a client of another service with the same credentials, region and limits,
            from the name of the service.
    """

    client: KMSClient
    is_shareable: bool
    new_client: Callable[..., Any]


def connect(
    connection: AwsKmsConnection, *, session: boto3.Session | None = None, repeats: bool = True
) -> Connected:
    """See ``kms_client``."""
    limits = _limits(connection, connection.max_attempts if repeats else 1)
    pool = Config(
        max_pool_connections=connection.max_connections,
        use_fips_endpoint=connection.use_fips_endpoint,
    )
    with explained("set up AWS KMS", provider=PROVIDER, explain=explain_source):
        origin = given_origin(session, connection) if session else own_origin(connection, limits)
        settings: dict[str, Any] = {"region_name": origin.region, "config": limits.merge(pool)}
        new_client = origin.new_client
        if connection.role_arn is not None:
            if origin.credentials is None:
                raise NoCredentialsError
            new_client = session_of_role(
                connection.role_arn,
                connection,
                source=origin.credentials,
                profile=origin.profile,
                new_client=partial(origin.new_client, **settings),
            ).create_client
        client: KMSClient = new_client("kms", endpoint_url=connection.endpoint_url, **settings)
    if connection.use_fips_endpoint:
        _require_fips(client)
    return Connected(client, origin.is_lasting, partial(new_client, **settings))


def _limits(connection: AwsKmsConnection, max_attempts: int) -> Config:
    return Config(
        connect_timeout=connection.connect_timeout,
        read_timeout=connection.read_timeout,
        # The mode is explicit, since botocore's default was another one before 1.44.
        retries={"mode": "standard", "total_max_attempts": max_attempts},
    )


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
