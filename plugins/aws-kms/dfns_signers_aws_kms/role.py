"""Credentials of a role that is assumed, and assumed again before they expire."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from botocore.credentials import (
    AssumeRoleCredentialFetcher,
    CredentialProvider,
    CredentialResolver,
    Credentials,
    DeferredRefreshableCredentials,
)

from dfns_signers_aws_kms.options import AwsKmsConnection
from dfns_signers_aws_kms.safe_client import SafeSession

SESSION_NAME: Final = "dfns-signers"
"""Name of a role session unless another is configured."""


def session_of_role(
    role_arn: str,
    connection: AwsKmsConnection,
    *,
    source: Credentials,
    profile: str | None,
    new_client: Callable[..., Any],
) -> SafeSession:
    """A session that acts as a role; AWS STS is asked at its first request.

    Args:
        role_arn: the role.
        connection: what else is sent to AWS STS.
        source: the credentials that assume it.
        profile: AWS profile whose other settings stay in force; None for the usual one.
        new_client: makes the client of AWS STS, from the name of the service and credentials.
    """
    arguments = {"RoleSessionName": connection.role_session_name or SESSION_NAME}
    if connection.role_external_id is not None:
        arguments["ExternalId"] = connection.role_external_id
    fetcher = AssumeRoleCredentialFetcher(
        client_creator=new_client,
        source_credentials=source,
        role_arn=role_arn,
        extra_args=arguments,
    )
    acting = SafeSession(profile=profile)
    acting.register_component("credential_provider", CredentialResolver([_AssumedRole(fetcher)]))
    return acting


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
