"""Where the clients of AWS come from: credentials, region and profile, of a session."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from botocore.config import Config
from botocore.credentials import Credentials, RefreshableCredentials

from dfns_signers_aws_kms.options import AwsKmsConnection
from dfns_signers_aws_kms.safe_client import SafeSession, clients_of

if TYPE_CHECKING:
    import boto3

# Methods of botocore's providers of credentials.
_WRITTEN_DOWN: Final = {"env", "shared-credentials-file", "config-file"}


@dataclass(frozen=True, slots=True)
class Origin:
    """What a session has to give to clients.

    Attributes:
        new_client: makes a safe client, from the name of the service and its settings.
        credentials: looked for at once, since a failure of their source would look like one of the
            endpoint later.
        region: the region of clients.
        profile: profile of the AWS configuration files; None for the usual one.
    """

    new_client: Callable[..., Any]
    credentials: Credentials | None
    region: str | None
    profile: str | None

    @property
    def is_lasting(self) -> bool:
        """Whether the credentials are renewed, or those of the environment or the AWS files."""
        return isinstance(self.credentials, RefreshableCredentials) or (
            self.credentials is not None and self.credentials.method in _WRITTEN_DOWN
        )


def own_origin(connection: AwsKmsConnection, limits: Config) -> Origin:
    """A session whose own requests for credentials have the same limits and region."""
    session = SafeSession(profile=connection.profile)
    session.set_default_client_config(limits)
    region = region_in(session, connection)
    if region is not None:
        session.set_config_variable("region", region)
    return Origin(session.create_client, session.get_credentials(), region, session.profile)


def region_in(session: SafeSession, connection: AwsKmsConnection) -> str | None:
    """The region of a connection, as the options or the AWS configuration of a session say it."""
    return _region(connection, session.get_config_variable("region"))


def given_origin(session: boto3.Session, connection: AwsKmsConnection) -> Origin:
    """A session that is not ours, which stays as it is."""
    name = session.profile_name  # "default" also where no file has a profile of that name
    return Origin(
        clients_of(session),
        session.get_credentials(),
        _region(connection, session.region_name),
        name if name in session.available_profiles else None,
    )


def _region(connection: AwsKmsConnection, chain: str | None) -> str | None:
    """The region of a client; ``AWS_REGION`` is for the other SDKs of AWS, and the last here."""
    return connection.region or chain or os.environ.get("AWS_REGION")
