"""Examine the way to a key version: Cloud KMS, the state of the version, the permissions."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from google.api_core import exceptions as google

from dfns_signers.plugin import Finding, Severity, errors, quoted
from dfns_signers_gcp_kms.algorithms import KmsAlgorithm, algorithm_name
from dfns_signers_gcp_kms.client import GcpKms, connect
from dfns_signers_gcp_kms.credentials import load_credentials, member_of
from dfns_signers_gcp_kms.errors import PROVIDER, explain, explain_state, state_in
from dfns_signers_gcp_kms.opening import read_version
from dfns_signers_gcp_kms.options import GcpKmsOptions
from dfns_signers_gcp_kms.policy import SIGNING, granting
from dfns_signers_gcp_kms.versions import level_of, state_of

_KEY_STORE: Final = "key store"
_KEY_STATE: Final = "key state"
_PERMISSIONS: Final = "permissions"

# What Cloud KMS itself says of a call: it was reached, and took the credentials.
_ANSWERS: Final = (
    google.PermissionDenied,
    google.NotFound,
    google.MethodNotImplemented,
    google.InvalidArgument,
    google.FailedPrecondition,
    google.ResourceExhausted,
)

_Granted: TypeAlias = AbstractSet[str] | errors.DfnsSignersError
"""The permissions that the caller has, or why that is not known."""


def diagnose(options: GcpKmsOptions) -> Iterator[Finding]:
    """What there is to say of the way to a key; see the backend."""
    # A version that is being generated is a finding, and not waited for.
    options = options.model_copy(update={"generation_timeout": 0.0})
    try:
        credentials = None if options.is_plaintext else load_credentials(options)
        kms = connect(options, credentials)
    except errors.DfnsSignersError as error:
        yield _failure(_KEY_STORE, error, "correct the credentials that the profile names")
        return
    with kms:
        yield from _Examination(kms, options, credentials).findings()


@dataclass(frozen=True, slots=True)
class _Examination:
    """One look at one key version."""

    kms: GcpKms
    options: GcpKmsOptions
    credentials: Any

    def findings(self) -> Iterator[Finding]:
        """Each finding, as soon as it is there."""
        granted = yield from self._key_store()
        if granted is not None and (yield from self._key_state()):
            yield self._permissions(granted)

    @property
    def _member(self) -> str | None:
        return member_of(self.credentials)

    @property
    def _crypto_key(self) -> str:
        return self.options.key_version.partition("/cryptoKeyVersions/")[0]

    def _key_store(self) -> Generator[Finding, None, _Granted | None]:
        """Ask for the permissions, which takes none; None if Cloud KMS does not answer."""
        began = time.monotonic()
        granted: _Granted
        task = f"test the permissions on the crypto key {self._crypto_key}"
        request = {"resource": self._crypto_key, "permissions": list(SIGNING)}
        try:
            granted = set(self.kms.call(task, "test_iam_permissions", request).permissions)
        except errors.DfnsSignersError as error:
            if not isinstance(error.__cause__, _ANSWERS):
                yield _failure(_KEY_STORE, error, "try again", began)
                return None
            granted = error
        seconds = time.monotonic() - began
        yield Finding(_KEY_STORE, Severity.OK, self._greeting(), seconds=seconds)
        return granted

    def _greeting(self) -> str:
        where = f"{PROVIDER} at {self.options.endpoint}" if self.options.endpoint else PROVIDER
        if self.options.is_plaintext:
            return f"{where} answers without credentials, as an emulator does"
        return f"{where} answers {self._member or 'credentials that do not say whose they are'}"

    def _key_state(self) -> Generator[Finding, None, bool]:
        """Read the public key; whether the permissions are still of interest after that."""
        began = time.monotonic()
        try:
            message = read_version(self.kms, self.options.key_version, _enabled)
        except errors.KeyStateError as error:
            yield self._wrong_state(error, began)
            return True
        except errors.DfnsSignersError as error:
            yield _failure(_KEY_STATE, error, _OTHER_KEY, began)
            return isinstance(error, errors.KeyAccessError)
        yield Finding(_KEY_STATE, Severity.OK, message, seconds=time.monotonic() - began)
        return True

    def _wrong_state(self, error: errors.KeyStateError, began: float) -> Finding:
        name = self.options.key_version
        refusal: Any = error.__cause__  # Google's, which is how a state is known here
        unread: Any = None
        state, date = state_in(refusal), ""
        try:
            task = f"read the state of the key {name}"
            version = self.kms.call(task, "get_crypto_key_version", {"name": name})
        except errors.DfnsSignersError as unreadable:
            # Neither opening nor signing needs the permission.
            unread = unreadable.__cause__
        else:
            state = state_of(version)
            if state == "DESTROY_SCHEDULED":
                date = f" for {version.destroy_time:%Y-%m-%d %H:%M} UTC"
        failure = explain_state(name, refusal, state, unread)
        said = f"it is {state}{date}" if state else quoted(failure.said)
        seconds = time.monotonic() - began
        message = f"the key {name} cannot sign: {said}"
        return Finding(_KEY_STATE, Severity.FAILURE, message, failure.meaning.advice, seconds)

    def _permissions(self, granted: _Granted) -> Finding:
        who, key = self._member or "the caller", self._crypto_key
        if isinstance(granted, errors.DfnsSignersError):
            return Finding(
                _PERMISSIONS,
                Severity.WARNING,
                f"whether {who} may sign with {key} is not known before the first signature: "
                f"{_understood(granted)[0]}",
                f"where it is denied: {granting(key, self._member, SIGNING)}",
            )
        missing = sorted(SIGNING.keys() - granted)
        if missing:
            message = f"{who} lacks {' and '.join(missing)} on {key}"
            remedy = granting(key, self._member, missing)
            return Finding(_PERMISSIONS, Severity.FAILURE, message, remedy)
        message = f"{who} may view the public key of {key}, and sign with it"
        return Finding(_PERMISSIONS, Severity.OK, message)


_OTHER_KEY: Final = (
    "set key_version to a version whose signatures Dfns accepts, or create one with "
    "'dfns-signers keys create'"
)


def _enabled(answer: Any, algorithm: KmsAlgorithm) -> str:
    kind = f"{algorithm_name(answer)} at the protection level {level_of(answer)}"
    return f"the key {answer.name} is ENABLED: {kind}, {algorithm.algorithm} for Dfns"


def _failure(
    check: str, error: errors.DfnsSignersError, remedy: str, began: float | None = None
) -> Finding:
    """A failure; the remedy is for one of which Google says nothing."""
    said, advice = _understood(error)
    seconds = None if began is None else time.monotonic() - began
    return Finding(check, Severity.FAILURE, said, advice or remedy, seconds)


def _understood(error: errors.DfnsSignersError) -> tuple[str, str]:
    """What an error says, apart from what it advises, if it came from Google."""
    failure = isinstance(error.__cause__, Exception) and explain(error.__cause__, "get_public_key")
    if not failure:
        return str(error), ""
    task, _, _ = str(error).partition(": ")
    return f"{task}: {quoted(failure.said)}", failure.meaning.advice
