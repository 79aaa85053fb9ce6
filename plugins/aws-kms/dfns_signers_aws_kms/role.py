"""Credentials of a role that is assumed, and assumed again before they expire."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import boto3
import botocore.session
from botocore.credentials import (
    AssumeRoleCredentialFetcher,
    CredentialProvider,
    CredentialResolver,
    DeferredRefreshableCredentials,
)
from botocore.exceptions import NoCredentialsError

from dfns_signers_aws_kms.options import AwsKmsConnection

SESSION_NAME: Final = "dfns-signers"
"""Name of a role session unless another is configured."""


def session_of_role(
    role_arn: str,
    connection: AwsKmsConnection,
    session: boto3.Session,
    new_client: Callable[..., Any],
) -> boto3.Session:
    """A session that acts as a role; AWS STS is asked at its first request.

    The settings of the profile of ``session``, other than its credentials, stay in force.
    ``new_client`` makes the client of AWS STS, from the name of the service and credentials.

    Raises:
        NoCredentialsError: the session has no credentials.
    """
    source = session.get_credentials()
    if source is None:
        raise NoCredentialsError
    arguments = {"RoleSessionName": connection.role_session_name or SESSION_NAME}
    if connection.role_external_id is not None:
        arguments["ExternalId"] = connection.role_external_id
    fetcher = AssumeRoleCredentialFetcher(
        client_creator=new_client,
        source_credentials=source,
        role_arn=role_arn,
        extra_args=arguments,
    )
    name = session.profile_name  # "default" also where no file has a profile of that name
    profile = name if name in session.available_profiles else None
    acting = botocore.session.Session(profile=profile)
    acting.register_component("credential_provider", CredentialResolver([_AssumedRole(fetcher)]))
    return boto3.Session(botocore_session=acting)


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
