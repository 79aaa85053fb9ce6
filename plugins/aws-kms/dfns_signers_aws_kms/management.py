"""Create and list signing keys in AWS KMS."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, closing
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import ConnectTimeoutError, EndpointConnectionError, ProxyConnectionError

from dfns_signers.plugin import (
    Algorithm,
    Attempt,
    KeyDescription,
    KeyPendingError,
    errors,
    explained,
)
from dfns_signers_aws_kms.algorithms import KEY_SPECS, KeySpec, created_spec
from dfns_signers_aws_kms.client import AwsKms, kms_client, text
from dfns_signers_aws_kms.errors import PROVIDER, explain
from dfns_signers_aws_kms.names import is_key_arn
from dfns_signers_aws_kms.options import AwsKmsConnection, AwsKmsCreate, AwsKmsList

if TYPE_CHECKING:
    from mypy_boto3_kms.type_defs import TagTypeDef

# Seconds until a new key must be enabled.
_PATIENCE: Final = 60

# In a row; a page of AWS may be empty, and more follow.
_MOST_EMPTY_PAGES: Final = 100

_NEVER_SENT: Final = (ConnectTimeoutError, EndpointConnectionError, ProxyConnectionError)


def create_key(
    algorithm: Algorithm,
    options: AwsKmsCreate,
    *,
    sleep: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> KeyDescription:
    """Create a key; see the backend for what is refused."""
    spec = created_spec(algorithm, options.rsa_bits)
    with closing(kms_client(options, repeats=False)) as client:
        kms = AwsKms(client, options, sleep=sleep, clock=clock)
        if options.alias is not None:
            _require_free(kms, options.alias)
        arn = _create(kms, spec, options)
        try:
            if options.alias is not None:
                _give_alias(kms, arn, options.alias)
            with _reading(f"read the state of the key {arn}"):
                metadata = kms.once_ready(lambda: _enabled(kms, arn), timeout=_PATIENCE)
                names = [options.alias] if options.alias else []
                return _description(metadata, names, options)
        except errors.DfnsSignersError as error:
            raise type(error)(f"the key {arn} was created, and then: {error}") from error


def list_keys(options: AwsKmsList) -> Iterator[KeyDescription]:
    """Every signing key of the account and region whose description may be read."""
    task = "list the keys in AWS KMS"
    with closing(kms_client(options, repeats=False)) as client, _reading(task):
        kms = AwsKms(client, options)
        aliases: dict[str, list[str]] = defaultdict(list)
        for alias in _every(kms, "list the aliases in AWS KMS", client.list_aliases, "Aliases"):
            aliases[text(alias, "TargetKeyId")].append(text(alias, "AliasName"))
        for entry in _every(kms, task, client.list_keys, "Keys"):
            metadata = kms.describe(task, entry["KeyArn"], unless={"AccessDeniedException"})
            if metadata is not None and metadata.get("KeyUsage") == "SIGN_VERIFY":
                yield _description(metadata, aliases[text(entry, "KeyId")], options)


def _reading(task: str) -> AbstractContextManager[None]:
    """Answers that cannot be read are an error of ours, wherever that turns out."""
    return explained(task, provider=PROVIDER, explain=explain)


def _every(
    kms: AwsKms, task: str, request: Callable[..., Mapping[str, Any]], member: str
) -> Iterator[Mapping[str, Any]]:
    """What stands in the pages of a list, each page read when it is needed."""

    def read(marker: dict[str, str], _: Attempt) -> tuple[list[Any], dict[str, str] | None]:
        page = request(**marker)
        return page[member], {"Marker": page["NextMarker"]} if "NextMarker" in page else None

    marker: dict[str, str] | None = {}
    empty = 0
    while marker is not None:
        entries, marker = kms.ask(task, partial(read, marker))
        empty = 0 if entries else empty + 1
        if empty > _MOST_EMPTY_PAGES:
            raise errors.SigningKeyError(
                f"cannot {task}: {empty} pages were empty, one after the other, and each names a "
                "further one; check 'endpoint_url'"
            )
        yield from entries


def _require_free(kms: AwsKms, alias: str) -> None:
    """Refuse a taken alias before a key is made that would then have none, and cost money."""
    taken = _key_behind(kms, alias)
    # Where these credentials may not look, CreateAlias refuses it later.
    if taken is not None:
        raise errors.SigningKeyError(
            f"the alias {alias} belongs to the key {taken}; choose another one. No key was created"
        )


def _key_behind(kms: AwsKms, alias: str) -> str | None:
    """The ARN of the key that has an alias; None where there is none, or it may not be read."""
    unless = {"NotFoundException", "AccessDeniedException"}
    metadata = kms.describe(f"look for the alias {alias}", alias, unless=unless)
    return None if metadata is None else text(metadata, "Arn")


def _give_alias(kms: AwsKms, arn: str, alias: str) -> None:
    task = f"give the key {arn} the alias {alias}"
    create = partial(kms.client.create_alias, AliasName=alias, TargetKeyId=arn)
    is_created = kms.ask_unless({"AlreadyExistsException"}, task, create) is not None
    # The first attempt may have done it, and its answer been lost.
    if not is_created and _key_behind(kms, alias) != arn:
        raise errors.SigningKeyError(
            f"cannot {task}: another key has it; choose another alias, or use the key that has it"
        )


def _create(kms: AwsKms, spec: KeySpec, options: AwsKmsCreate) -> str:
    """One attempt: each one that AWS carries out makes another key."""
    tags: list[TagTypeDef] = [
        {"TagKey": name, "TagValue": value} for name, value in options.tags.items()
    ]
    create = partial(
        kms.client.create_key,
        KeySpec=spec.name,
        KeyUsage="SIGN_VERIFY",
        Description=options.description or "",
        MultiRegion=options.multi_region,
        Tags=tags,
    )
    task = f"create a key of the spec {spec.name}"
    try:
        return kms.ask(task, lambda _: _arn(create()["KeyMetadata"]), repeat=False)
    except errors.KeyStoreThrottledError:
        raise
    except errors.KeyStoreUnavailableError as error:
        if isinstance(error.__cause__, _NEVER_SENT):
            raise
        raise errors.SigningKeyError(
            "a key may have been created; see 'dfns-signers keys list' before another attempt: "
            f"{error}"
        ) from error


def _enabled(kms: AwsKms, arn: str) -> Mapping[str, Any]:
    # AWS KMS is eventually consistent: a new key is not yet known everywhere.
    metadata = kms.describe(f"read the state of the key {arn}", arn, unless={"NotFoundException"})
    state = text(metadata, "KeyState") if metadata else "unknown"
    if metadata is None or state != "Enabled":
        raise KeyPendingError(f"its state was still {state} after {_PATIENCE} seconds")
    return metadata


def _description(
    metadata: Mapping[str, Any], names: Sequence[str], options: AwsKmsConnection
) -> KeyDescription:
    kind, arn = text(metadata, "KeySpec"), _arn(metadata)
    spec = KEY_SPECS.get(kind)
    how = options.given(AwsKmsConnection)
    how.pop("region", None)  # the ARN has it
    return KeyDescription(
        reference=arn,
        algorithm=spec.algorithm if spec else None,
        kind=kind,
        state=text(metadata, "KeyState"),
        names=tuple(names),
        signer={"backend": "aws-kms", "key_id": arn, **how} if spec else {},
    )


def _arn(metadata: Mapping[str, Any]) -> str:
    """The ARN of a key; ValueError if there is none."""
    arn = text(metadata, "Arn")
    if not is_key_arn(arn):
        raise ValueError("expected the ARN of a key")
    return arn
