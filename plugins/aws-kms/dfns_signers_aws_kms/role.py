"""Credentials of a role that is assumed, and assumed again before they expire."""

from __future__ import annotations

from functools import partial
from typing import Any, Final

import boto3
import botocore.session
from botocore.config import Config
from botocore.credentials import (
    AssumeRoleCredentialFetcher,
    CredentialProvider,
    CredentialResolver,
    DeferredRefreshableCredentials,
)
from botocore.exceptions import NoCredentialsError

from dfns_signers_aws_kms.options import AwsConnection

SESSION_NAME: Final = "dfns-signers"


class _AssumedRole(CredentialProvider):
    """The only provider of a session that acts as a role."""

    METHOD = "assume-role"

    def __init__(self, fetcher: AssumeRoleCredentialFetcher) -> None:
        super().__init__()
        self._fetcher = fetcher

    def load(self) -> DeferredRefreshableCredentials:
        return DeferredRefreshableCredentials(
            refresh_using=self._fetcher.fetch_credentials, method=self.METHOD
        )


def assume_role(
    role_arn: str,
    connection: AwsConnection,
    *,
    session: boto3.Session,
    region: str | None,
    config: Config,
) -> boto3.Session:
    """A session that acts as a role; AWS STS is asked at its first request.

    Args:
        role_arn: the role.
        connection: has external id and session name.
        session: has the credentials that may assume the role, and the profile whose other
            settings hold on.
        region: region of AWS STS.
        config: timeouts and retries.

    Raises:
        NoCredentialsError: the session has no credentials.
    """
    source = session.get_credentials()
    if source is None:
        raise NoCredentialsError
    arguments: dict[str, Any] = {"RoleSessionName": connection.role_session_name or SESSION_NAME}
    if connection.role_external_id is not None:
        arguments["ExternalId"] = connection.role_external_id
    fetcher = AssumeRoleCredentialFetcher(
        client_creator=partial(session.client, region_name=region, config=config),
        source_credentials=source,
        role_arn=role_arn,
        extra_args=arguments,
    )
    name = session.profile_name  # "default" also where no file has a profile of that name
    profile = name if name in session.available_profiles else None
    acting = botocore.session.Session(profile=profile)
    acting.register_component("credential_provider", CredentialResolver([_AssumedRole(fetcher)]))
    return boto3.Session(botocore_session=acting)
