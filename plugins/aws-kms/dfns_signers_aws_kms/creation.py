"""Create signing keys in AWS KMS, so that what was interrupted is found again.

CreateKey has no name that would make a second request harmless. What a key is made for stands in
its description, which needs no other permission than to create it (a tag would).
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from functools import partial
from itertools import count
from typing import Any, Final

from botocore.exceptions import ConnectTimeoutError, EndpointConnectionError, ProxyConnectionError

from dfns_signers.plugin import Algorithm, KeyDescription, KeyPendingError, errors
from dfns_signers_aws_kms.algorithms import KeySpec, created_spec, usable_spec
from dfns_signers_aws_kms.client import AwsKms, kms_client, text
from dfns_signers_aws_kms.management import aliases, arn_of, description, reading, signing_keys
from dfns_signers_aws_kms.names import KeyId
from dfns_signers_aws_kms.options import AwsKmsConnection, AwsKmsCreate, AwsKmsOptions

# Seconds until a new key must be enabled.
_PATIENCE: Final = 60

_NEVER_SENT: Final = (ConnectTimeoutError, EndpointConnectionError, ProxyConnectionError)

# An alias, and the number that an earlier successor got.
_NUMBERED: Final = re.compile(r"(?P<stem>.+?)(?:-(?P<number>\d{1,3}))?")

# Characters of an alias that leave room for a number.
_LONGEST_STEM: Final = 250


def create_key(
    algorithm: Algorithm,
    options: AwsKmsCreate,
    *,
    sleep: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> KeyDescription:
    """Create a key; see the backend for what is refused."""
    spec = created_spec(algorithm, options.rsa_bits)
    purpose = [options.description] if options.description else []
    with closing(kms_client(options, repeats=False)) as client:
        kms = AwsKms(client, options, sleep=sleep, clock=clock)
        if options.alias is not None:
            _require_free(kms, options.alias)
            purpose.append(_mark_of_alias(options.alias))
        arn = _create(
            kms,
            spec,
            Description=" ".join(purpose),
            MultiRegion=options.multi_region,
            Tags=[{"TagKey": name, "TagValue": value} for name, value in options.tags.items()],
        )
        return _completed(kms, arn, options.alias, options)


def find_key(algorithm: Algorithm, options: AwsKmsCreate) -> KeyDescription | None:
    """The key that has an alias, or was created for it and did not get it yet; None without one.

    The latter has the key spec that is asked for.

    Raises:
        SigningKeyError: no alias is named, or AWS KMS refused or failed.
    """
    if options.alias is None:
        raise errors.SigningKeyError(
            "a key that is created without an alias cannot be found again: name an 'alias' to "
            "resume its creation, or look with 'dfns-signers keys list'"
        )
    task = f"look for the key of the alias {options.alias}"
    with closing(kms_client(options, repeats=False)) as client, reading(task):
        kms = AwsKms(client, options)
        names = aliases(kms)
        holder = _holders(names).get(options.alias)
        if holder is not None:
            return description(_described(kms, task, holder), names[holder], options)
        spec = created_spec(algorithm, options.rsa_bits)
        arn = _marked(kms, task, spec, _mark_of_alias(options.alias))
        return _completed(kms, arn, options.alias, options) if arn else None


def create_next_key(options: AwsKmsOptions) -> KeyDescription:
    """Create the key that follows a configured one, or find the one that was created for that."""
    task = f"create the key that follows {options.key_id}"
    with closing(kms_client(options.connection, repeats=False)) as client, reading(task):
        kms = AwsKms(client, options)
        present = _described(kms, task, options.key_id)
        arn = arn_of(present)
        spec = usable_spec(arn, spec=text(present, "KeySpec"), usage=text(present, "KeyUsage"))
        names = aliases(kms)
        mark = f"(created by dfns-signers to follow {arn})"
        following = _marked(kms, task, spec, mark) or _create(
            kms, spec, Description=mark, MultiRegion=present.get("MultiRegion", False)
        )
        alias = _next_alias(KeyId.parse(options.key_id), _holders(names), following)
        return _completed(kms, following, alias, options)


def _described(kms: AwsKms, task: str, key_id: str) -> Mapping[str, Any]:
    return kms.ask(task, lambda _: kms.client.describe_key(KeyId=key_id)["KeyMetadata"])


def _mark_of_alias(alias: str) -> str:
    return f"(created by dfns-signers for {alias})"


def _marked(kms: AwsKms, task: str, spec: KeySpec, mark: str) -> str | None:
    """The ARN of the first key of a spec that has a mark and signs, or is about to."""
    for metadata in signing_keys(kms, task):
        is_marked = str(metadata.get("Description", "")).endswith(mark)
        if (
            is_marked
            and metadata.get("KeySpec") == spec.name
            and metadata.get("KeyState") in {"Enabled", "Creating"}
        ):
            return arn_of(metadata)
    return None


def _holders(names: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """Key id by alias."""
    return {name: key_id for key_id, held in names.items() for name in held}


def _next_alias(configured: KeyId, holders: Mapping[str, str], arn: str) -> str | None:
    """The alias of a key after that of its predecessor: ``alias/x-2`` after ``alias/x``."""
    match = _NUMBERED.fullmatch(configured.text.rpartition(":")[2])
    if not configured.is_alias or match is None:
        return None
    numbers = count(int(match["number"] or 1) + 1)
    names = (f"{match['stem'][:_LONGEST_STEM]}-{number}" for number in numbers)
    key_id = arn.rpartition("/")[2]
    return next(name for name in names if holders.get(name, key_id) == key_id)


def _completed(
    kms: AwsKms, arn: str, alias: str | None, options: AwsKmsConnection
) -> KeyDescription:
    """A key that was created, with its alias, once it is enabled."""
    try:
        if alias is not None:
            _give_alias(kms, arn, alias)
        with reading(f"read the state of the key {arn}"):
            metadata = kms.once_ready(lambda: _enabled(kms, arn), timeout=_PATIENCE)
            return description(metadata, [alias] if alias else [], options)
    except errors.DfnsSignersError as error:
        raise type(error)(f"the key {arn} was created, and then: {error}") from error


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


def _create(kms: AwsKms, spec: KeySpec, **members: Any) -> str:
    """One attempt: each one that AWS carries out makes another key."""
    create = partial(kms.client.create_key, KeySpec=spec.name, KeyUsage="SIGN_VERIFY", **members)
    task = f"create a key of the spec {spec.name}"
    try:
        return kms.ask(task, lambda _: arn_of(create()["KeyMetadata"]), repeat=False)
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
