"""List signing keys in AWS KMS, and describe them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, closing
from functools import partial
from typing import Any, Final

from dfns_signers.plugin import Attempt, KeyDescription, errors, explained
from dfns_signers_aws_kms.algorithms import KEY_SPECS
from dfns_signers_aws_kms.client import AwsKms, kms_client, text
from dfns_signers_aws_kms.errors import PROVIDER, explain
from dfns_signers_aws_kms.names import is_key_arn
from dfns_signers_aws_kms.options import AwsKmsConnection, AwsKmsList

# In a row; a page of AWS may be empty, and more follow.
_MOST_EMPTY_PAGES: Final = 100


def list_keys(options: AwsKmsList) -> Iterator[KeyDescription]:
    """Every signing key of the account and region whose description may be read."""
    task = "list the keys in AWS KMS"
    with closing(kms_client(options, repeats=False)) as client, reading(task):
        kms = AwsKms(client, options)
        names = aliases(kms)
        for metadata in signing_keys(kms, task):
            yield description(metadata, names[text(metadata, "KeyId")], options)


def aliases(kms: AwsKms) -> Mapping[str, Sequence[str]]:
    """The aliases of the account and region by key id; none for any other key."""
    task = "list the aliases in AWS KMS"
    names: dict[str, list[str]] = defaultdict(list)
    for alias in _every(kms, task, kms.client.list_aliases, "Aliases"):
        names[text(alias, "TargetKeyId")].append(text(alias, "AliasName"))
    return names


def signing_keys(kms: AwsKms, task: str) -> Iterator[Mapping[str, Any]]:
    """What AWS says about each signing key whose description may be read."""
    for entry in _every(kms, task, kms.client.list_keys, "Keys"):
        metadata = kms.describe(task, entry["KeyArn"], unless={"AccessDeniedException"})
        if metadata is not None and metadata.get("KeyUsage") == "SIGN_VERIFY":
            yield metadata


def reading(task: str) -> AbstractContextManager[None]:
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


def description(
    metadata: Mapping[str, Any], names: Sequence[str], options: AwsKmsConnection
) -> KeyDescription:
    """A key in AWS KMS; its ``signer`` table has all that was given to reach it."""
    kind, arn = text(metadata, "KeySpec"), arn_of(metadata)
    spec = KEY_SPECS.get(kind) if text(metadata, "KeyUsage") == "SIGN_VERIFY" else None
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


def arn_of(metadata: Mapping[str, Any]) -> str:
    """The ARN of a key; ValueError if there is none."""
    arn = text(metadata, "Arn")
    if not is_key_arn(arn):
        raise ValueError("expected the ARN of a key")
    return arn
