"""Examine the way to a key in AWS KMS, one finding after the other."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from typing import Any, Final, TypeVar
from urllib.parse import urlsplit

from dfns_signers.plugin import Finding, Severity, errors, is_loopback
from dfns_signers_aws_kms.algorithms import KeySpec, usable_spec
from dfns_signers_aws_kms.client import AwsKms, Connected, connect, text
from dfns_signers_aws_kms.management import arn_of, reading
from dfns_signers_aws_kms.names import KeyId
from dfns_signers_aws_kms.opening import check_state, find_key, prove_usable
from dfns_signers_aws_kms.options import AwsKmsOptions

T = TypeVar("T")

# Seconds; AWS takes a request that was signed within five minutes.
_WORST_SKEW: Final = 300
_SKEW: Final = 60

_CHECKS: Final[Mapping[type[errors.DfnsSignersError], str]] = {
    errors.KeyAccessError: "permissions",
    errors.KeyStateError: "key state",
    errors.KeyNotFoundError: "key state",
    errors.UnsupportedKeyError: "key spec",
}


def diagnose(options: AwsKmsOptions) -> Iterator[Finding]:
    """See the backend."""
    try:
        connected = connect(options.connection, repeats=False)
    except errors.DfnsSignersError as error:
        yield _failure(error, None, "key store")
        return
    with closing(connected.client):
        yield from _Examination(connected, options).findings()


class _Examination:
    """The requests that opening makes, and what each is about."""

    def __init__(self, connected: Connected, options: AwsKmsOptions) -> None:
        self._connected = connected
        self._key_id = options.key_id
        self._kms = AwsKms(connected.client, options)
        self._where = (
            f"AWS KMS in {connected.client.meta.region_name} ({connected.client.meta.endpoint_url})"
        )
        self._skew: float | None = None
        connected.client.meta.events.register("after-call.kms", self._read_clock)

    def findings(self) -> Iterator[Finding]:
        """What is found, the worst at the end."""
        metadata, seconds = _timed(f"describe the key {self._key_id}", self._describe)
        yield from self._clock()
        if isinstance(metadata, errors.KeyNotFoundError):
            yield self._reached(seconds)
            yield _failure(metadata, seconds)
        elif isinstance(metadata, errors.DfnsSignersError):
            yield _failure(metadata, seconds, "key store", where=self._where)
        else:
            yield self._reached(seconds)
            yield from self._of_key(metadata, seconds)

    def _describe(self, task: str) -> Mapping[str, Any] | None:
        metadata = self._kms.describe(task, self._key_id, unless={"AccessDeniedException"})
        if metadata is not None:
            arn_of(metadata)
        return metadata

    def _reached(self, seconds: float) -> Finding:
        whom = self._caller()
        return Finding("key store", Severity.OK, f"{self._where} answers {whom}", seconds=seconds)

    def _caller(self) -> str:
        arn, _ = _timed("ask AWS STS", self._ask_sts)
        return f"to {arn}" if arn and isinstance(arn, str) else "(AWS STS does not say to whom)"

    def _ask_sts(self, _: str) -> str:
        """Who asks; of a local server, which has AWS STS at the same address if at all."""
        address = self._connected.client.meta.endpoint_url
        sts = self._connected.new_client("sts")
        if _is_local(address) and not _is_local(sts.meta.endpoint_url):
            sts.close()
            sts = self._connected.new_client("sts", endpoint_url=address)
        with closing(sts):
            return text(sts.get_caller_identity(), "Arn")

    def _of_key(self, metadata: Mapping[str, Any] | None, seconds: float) -> Iterator[Finding]:
        if metadata is None:
            yield Finding(
                "permissions",
                Severity.WARNING,
                f"kms:DescribeKey is denied for the key {self._key_id}: signing works without it, "
                "and the state of the key is not shown",
                "allow kms:DescribeKey to these credentials",
                seconds,
            )
            yield from self._permissions(None)
            return
        known, _ = _timed(f"read the state of {self._key_id}", lambda _: _usable(metadata))
        if isinstance(known, errors.DfnsSignersError):
            yield _failure(known, seconds)
            return
        yield Finding("key state", Severity.OK, f"the key {known[0]} is Enabled", "", seconds)
        yield _permitted("kms:DescribeKey", seconds)
        yield from self._permissions(known)

    def _permissions(self, known: tuple[str, KeySpec] | None) -> Iterator[Finding]:
        found, seconds = _timed(f"open the key {self._key_id}", self._find)
        if isinstance(found, errors.DfnsSignersError):
            yield _failure(found, seconds)
            if known is None or not isinstance(found, errors.KeyAccessError):
                return
            found = known
        else:
            yield _permitted("kms:GetPublicKey", seconds)
        arn, spec = found
        task = f"sign with the key {arn}"
        is_dry, seconds = _timed(task, lambda _: prove_usable(self._kms, arn, spec))
        if isinstance(is_dry, errors.DfnsSignersError):
            yield _failure(is_dry, seconds)
        elif is_dry:
            yield _permitted("kms:Sign", seconds, " (a dry run, nothing was signed)")
        else:
            signed = " (this server knows no dry runs, and signed what is not a challenge)"
            yield _permitted("kms:Sign", seconds, signed)

    def _find(self, _: str) -> tuple[str, KeySpec]:
        return find_key(self._kms, KeyId.parse(self._key_id))[:2]

    def _read_clock(self, http_response: Any, **_: Any) -> None:
        """Handle botocore's event ``after-call``, which refusals have too."""
        try:
            date = parsedate_to_datetime(http_response.headers["Date"])
            self._skew = (datetime.now(timezone.utc) - date).total_seconds()
        except (KeyError, TypeError, ValueError):
            self._skew = None

    def _clock(self) -> Iterator[Finding]:
        if self._skew is None:
            return
        apart = abs(self._skew)
        way = "ahead of" if self._skew > 0 else "behind"
        if apart <= _SKEW:
            yield Finding("clock", Severity.OK, "the clock of this machine is that of AWS KMS")
            return
        yield Finding(
            "clock",
            Severity.FAILURE if apart >= _WORST_SKEW else Severity.WARNING,
            f"the clock of this machine is {apart:.0f} seconds {way} that of AWS KMS, which "
            f"refuses requests from {_WORST_SKEW} seconds on",
            "set the clock, and have it kept (NTP)",
        )


def _usable(metadata: Mapping[str, Any]) -> tuple[str, KeySpec]:
    """The ARN of a key that may sign at present, and what it signs with; else an error of ours."""
    arn = arn_of(metadata)
    spec = usable_spec(arn, spec=text(metadata, "KeySpec"), usage=text(metadata, "KeyUsage"))
    check_state(arn, metadata)
    return arn, spec


def _timed(task: str, look: Callable[[str], T]) -> tuple[T | errors.DfnsSignersError, float]:
    """What ``look`` returns for a task, or the error that it raises, and the seconds it took."""
    start = time.monotonic()
    try:
        with reading(task):
            answer: T | errors.DfnsSignersError = look(task)
    except errors.DfnsSignersError as error:
        answer = error
    return answer, time.monotonic() - start


def _permitted(action: str, seconds: float, how: str = "") -> Finding:
    return Finding("permissions", Severity.OK, f"{action} is permitted{how}", seconds=seconds)


def _failure(
    error: errors.DfnsSignersError, seconds: float | None, check: str = "", *, where: str = ""
) -> Finding:
    """An error, which reads ``what happened; what to do``, as a finding."""
    message, _, remedy = str(error).partition("; ")
    check = check or next(
        (name for kind, name in _CHECKS.items() if isinstance(error, kind)), "key store"
    )
    return Finding(
        check, Severity.FAILURE, f"{where}: {message}" if where else message, remedy, seconds
    )


def _is_local(url: str) -> bool:
    return is_loopback(urlsplit(url).hostname or "")
