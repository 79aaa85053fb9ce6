"""Create and list signing keys in AWS KMS."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import (
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
    ProxyConnectionError,
)

from dfns_signers.algorithms import Algorithm
from dfns_signers.backends.management import KeyDescription
from dfns_signers.errors import (
    DfnsSignersError,
    KeyStateError,
    KeyStoreUnavailableError,
    SigningKeyError,
)
from dfns_signers_aws_kms.algorithms import KEY_SPECS, KeySpec, created_spec
from dfns_signers_aws_kms.client import kms_client
from dfns_signers_aws_kms.errors import error_code, translated
from dfns_signers_aws_kms.options import AwsConnection, CreateOptions, ListOptions

if TYPE_CHECKING:
    from mypy_boto3_kms import KMSClient
    from mypy_boto3_kms.type_defs import TagTypeDef

_POLLS: Final = 60
_INTERVAL: Final = 1.0

_NEVER_SENT: Final = (ConnectTimeoutError, EndpointConnectionError, ProxyConnectionError)


def create_key(
    algorithm: Algorithm,
    options: CreateOptions,
    *,
    sleep: Callable[[float], None] = time.sleep,
) -> KeyDescription:
    """Create a key, give it its alias, and wait up to a minute until it is enabled.

    Args:
        algorithm: what the key shall sign with.
        options: alias, tags and how AWS KMS is reached.
        sleep: waits between two looks at the state, in seconds.

    Raises:
        SigningKeyError: the alias is taken, or AWS KMS refused or failed. If the key exists
            nevertheless, the message has its ARN.
    """
    spec = created_spec(algorithm, options.rsa_bits)
    with closing(kms_client(options)) as client:
        if options.alias is not None:
            _require_free(client, options.alias)
        arn = _create(spec, options)
        try:
            if options.alias is not None:
                _give_alias(client, arn, options.alias)
            metadata = _wait_until_enabled(client, arn, sleep)
        except DfnsSignersError as error:
            raise type(error)(f"the key {arn} was created, and then: {error}") from error
    return _description(metadata, [options.alias] if options.alias else [], options)


def list_keys(options: ListOptions) -> Iterator[KeyDescription]:
    """Every key for signing in the account and region whose description may be read.

    Raises:
        SigningKeyError: AWS KMS refused or failed.
    """
    with closing(kms_client(options)) as client:
        names = _aliases(client)
        with translated("list the keys in AWS KMS"):
            for page in client.get_paginator("list_keys").paginate():
                for entry in page["Keys"]:
                    metadata = _describe(client, entry["KeyArn"])
                    if metadata is not None and metadata.get("KeyUsage") == "SIGN_VERIFY":
                        yield _description(metadata, names[entry["KeyId"]], options)


def _require_free(client: KMSClient, alias: str) -> None:
    """Refuse a taken alias before a key is made that would then have none, and cost money."""
    with translated(f"look for the alias {alias}"):
        taken = _key_behind(client, alias)
    # Where these credentials may not look, CreateAlias refuses it later.
    if taken is not None:
        raise SigningKeyError(
            f"the alias {alias} belongs to the key {taken}; choose another one. No key was created"
        )


def _key_behind(client: KMSClient, alias: str) -> str | None:
    """The ARN of the key that has an alias; None where there is none, or it may not be read."""
    try:
        return client.describe_key(KeyId=alias)["KeyMetadata"]["Arn"]
    except ClientError as error:
        if error_code(error) in {"NotFoundException", "AccessDeniedException"}:
            return None
        raise


def _give_alias(client: KMSClient, arn: str, alias: str) -> None:
    with translated(f"give the key {arn} the alias {alias}"):
        try:
            client.create_alias(AliasName=alias, TargetKeyId=arn)
        except ClientError as error:
            # The first attempt may have done it, and its answer been lost.
            is_taken = error_code(error) == "AlreadyExistsException"
            if not is_taken or _key_behind(client, alias) != arn:
                raise


def _create(spec: KeySpec, options: CreateOptions) -> str:
    """One attempt with a client of its own: each one that AWS carries out makes another key."""
    with closing(kms_client(options.model_copy(update={"max_attempts": 1}))) as client:
        try:
            return _request_key(client, spec, options)
        except KeyStoreUnavailableError as error:
            if isinstance(error.__cause__, _NEVER_SENT):
                raise
            raise SigningKeyError(
                "a key may have been created; see 'dfns-signers keys list' before another "
                f"attempt: {error}"
            ) from error


def _request_key(client: KMSClient, spec: KeySpec, options: CreateOptions) -> str:
    tags: list[TagTypeDef] = [
        {"TagKey": name, "TagValue": value} for name, value in options.tags.items()
    ]
    with translated(f"create a key of the spec {spec.name}"):
        answer = client.create_key(
            KeySpec=spec.name,
            KeyUsage="SIGN_VERIFY",
            Description=options.description or "",
            MultiRegion=options.multi_region,
            Tags=tags,
        )
        return answer["KeyMetadata"]["Arn"]


def _wait_until_enabled(
    client: KMSClient, arn: str, sleep: Callable[[float], None]
) -> Mapping[str, Any]:
    state = "unknown"
    for _ in range(_POLLS):
        with translated(f"read the state of the key {arn}"):
            try:
                metadata = client.describe_key(KeyId=arn)["KeyMetadata"]
            except ClientError as error:
                # AWS KMS is eventually consistent: a new key is not yet known everywhere.
                if error_code(error) != "NotFoundException":
                    raise
            else:
                state = metadata["KeyState"]
                if state == "Enabled":
                    return metadata
        sleep(_INTERVAL)
    raise KeyStateError(f"its state was still {state} after {_POLLS * _INTERVAL:.0f} seconds")


def _aliases(client: KMSClient) -> Mapping[str, list[str]]:
    names: dict[str, list[str]] = defaultdict(list)
    with translated("list the aliases in AWS KMS"):
        for page in client.get_paginator("list_aliases").paginate():
            for alias in page["Aliases"]:
                names[alias.get("TargetKeyId", "")].append(alias["AliasName"])
    return names


def _describe(client: KMSClient, arn: str) -> Mapping[str, Any] | None:
    """What AWS says of a key; None where these credentials may not read it."""
    try:
        return client.describe_key(KeyId=arn)["KeyMetadata"]
    except ClientError as error:
        if error_code(error) != "AccessDeniedException":
            raise
        return None


def _description(
    metadata: Mapping[str, Any], names: list[str], connection: AwsConnection
) -> KeyDescription:
    kind, arn = metadata["KeySpec"], metadata["Arn"]
    spec = KEY_SPECS.get(kind)
    return KeyDescription(
        reference=arn,
        algorithm=spec.algorithm if spec else None,
        kind=kind,
        state=metadata["KeyState"],
        names=tuple(names),
        signer={"backend": "aws-kms", "key_id": arn, **_how(connection)} if spec else {},
    )


def _how(connection: AwsConnection) -> dict[str, Any]:
    """The settings that a [signer] table needs too; its ARN says the region."""
    shared = set(AwsConnection.model_fields) - {"region"}
    return connection.model_dump(include=shared, exclude_unset=True, exclude_none=True)
