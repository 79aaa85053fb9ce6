"""What the errors of Google and of its client mean, in this framework's classes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Final

import grpc
from google.api_core import exceptions as google
from google.auth import exceptions as auth
from google.protobuf.message import DecodeError
from google.rpc.error_details_pb2 import (  # type: ignore[import-untyped]
    ErrorInfo,
    PreconditionFailure,
)

from dfns_signers.plugin import Failure, KeyPendingError, Meaning, errors
from dfns_signers_gcp_kms.names import gcloud_flags, split

PROVIDER: Final = "Google Cloud KMS"


class DamagedAnswerError(errors.KeyStoreUnavailableError):
    """What Cloud KMS sent or received was damaged on its way, each time it was tried."""


class TooLongError(Exception):
    """An answer is longer than any of Cloud KMS."""


class IntegrityError(Exception):
    """An answer does not fit what was asked, or its checksum: it must be discarded."""


# Not retriable: what was created once would be created twice.
_PERHAPS_CREATED: Final = Meaning(
    errors.SigningKeyError,
    "it may have been created all the same: look with 'dfns-signers keys list' before you create "
    "it again",
)

# The first that fits counts: a subclass stands before its base. ``{denied}`` says what is missing.
ERRORS: Final[Mapping[type[Exception], Meaning]] = {
    google.NotFound: Meaning(
        errors.KeyNotFoundError,
        "check each part of the name; 'dfns-signers keys list --backend gcp-kms "
        "-o parent=projects/…/locations/…' shows the keys there are",
    ),
    google.PermissionDenied: Meaning(
        errors.KeyAccessError,
        "{denied}; check the name too, since Google denies access to what does not exist",
    ),
    google.Unauthenticated: Meaning(
        errors.KeyAccessError,
        "Google did not accept the credentials: renew them, or choose others with "
        "credentials_file or GOOGLE_APPLICATION_CREDENTIALS",
    ),
    google.FailedPrecondition: Meaning(
        errors.KeyStateError, "it cannot be used in the state that it is in"
    ),
    google.AlreadyExists: Meaning(errors.SigningKeyError, "choose another name"),
    google.ResourceExhausted: Meaning(
        errors.KeyStoreThrottledError,
        "the quota is used up: sign less often, or ask Google for more quota",
    ),
    google.DeadlineExceeded: Meaning(
        errors.KeyStoreUnavailableError,
        "there was no answer in time: try again, or raise read_timeout or timeout",
    ),
    google.ServiceUnavailable: Meaning(
        errors.KeyStoreUnavailableError, "check the network and endpoint, and try again"
    ),
    google.MethodNotImplemented: Meaning(
        errors.SigningKeyError, "what answers there is not Cloud KMS: check endpoint"
    ),
    google.InvalidArgument: Meaning(
        errors.SigningKeyError, "check the name, and the algorithm of the key"
    ),
    google.ServerError: Meaning(errors.KeyStoreUnavailableError, "try again later"),
    google.GoogleAPIError: Meaning(errors.SigningKeyError, "Cloud KMS did not carry it out"),
    auth.TransportError: Meaning(
        errors.KeyStoreUnavailableError,
        "Google's token service could not be reached: check the network",
    ),
    auth.GoogleAuthError: Meaning(
        errors.KeyAccessError,
        "no access token could be obtained: renew the credentials, with 'gcloud auth "
        "application-default login' or a new credentials_file, or check the network if that is "
        "what failed",
    ),
    TooLongError: Meaning(
        errors.SigningKeyError,
        "the answer is longer than any of Cloud KMS: check endpoint, and what stands between this "
        "machine and Google",
    ),
    IntegrityError: Meaning(
        DamagedAnswerError,
        "try again, and check what stands between this machine and Google if it persists",
    ),
}

# What some errors mean for some methods.
_CREATING: Final[Mapping[tuple[str, type[Exception]], Meaning]] = {
    ("create_crypto_key", google.AlreadyExists): Meaning(
        errors.SigningKeyError,
        "it exists already: add a version to it with new_version=true, or choose another name",
    ),
    ("create_crypto_key", google.NotFound): Meaning(
        errors.KeyNotFoundError,
        "there is no such key ring: create it too with create_key_ring=true, or choose another one",
    ),
}

# What to do, by the state of a version; None stands for one that could not be read.
_STATES: Final[Mapping[str | None, str]] = {
    "DISABLED": "enable it: gcloud kms keys versions enable {number} {flags}",
    "DESTROY_SCHEDULED": "restore it while that is possible, and enable it: "
    "gcloud kms keys versions restore {number} {flags}",
    "DESTROYED": "it cannot come back: create a new version, and register its public key with Dfns",
    "PENDING_GENERATION": "try again later, or raise generation_timeout",
    "GENERATION_FAILED": "create another version: gcloud kms keys versions create {flags}",
    "ENABLED": "an ENABLED version can sign, so the reason is another: compare what "
    "gcloud kms keys versions describe {number} {flags} shows",
    None: "its state could not be read ({unread}): see "
    "gcloud kms keys versions describe {number} {flags}",
}
_OTHER_STATE: Final = "only an ENABLED version signs: choose or create another one"

# Method of the client: the permission it needs, and the smallest predefined role that has it.
PERMISSIONS: Final[Mapping[str, tuple[str, str]]] = {
    "asymmetric_sign": ("cryptoKeyVersions.useToSign", "signer"),
    "get_public_key": ("cryptoKeyVersions.viewPublicKey", "publicKeyViewer"),
    "get_crypto_key_version": ("cryptoKeyVersions.get", "viewer"),
    "list_crypto_key_versions": ("cryptoKeyVersions.list", "viewer"),
    "list_crypto_keys": ("cryptoKeys.list", "viewer"),
    "list_key_rings": ("keyRings.list", "viewer"),
    "get_crypto_key": ("cryptoKeys.get", "viewer"),
    "create_key_ring": ("keyRings.create", "admin"),
    "create_crypto_key": ("cryptoKeys.create", "admin"),
    "create_crypto_key_version": ("cryptoKeyVersions.create", "admin"),
}

_STATE: Final = re.compile(r"current state is:? ([A-Z_]+)")

# grpc reports what google-auth raises in its plugin as a status; this is how its text begins.
_PLUGIN_FAILED: Final = "Getting metadata from plugin failed"
_TOKEN_SERVICE_UNREACHABLE: Final = re.compile(
    r"HTTPS?ConnectionPool|Max retries exceeded|timed out"
)
# How grpc reports that an answer is longer than its channel takes.
_TOO_LONG: Final = re.compile(r"message larger than max|metadata size exceeds")
# Whatever reading an answer of another shape raises.
_OF_READING: Final = (
    LookupError,
    TypeError,
    AttributeError,
    ValueError,
    DecodeError,
    RecursionError,
)
_MALFORMED: Final = Meaning(
    errors.SigningKeyError,
    "the answer is not what Cloud KMS documents: check endpoint, and that grpcio and "
    "google-cloud-kms are of a current version",
)
# What grpc raises for a channel that was closed, before a call or while it began.
_CLOSED: Final = re.compile(r"closed channel|channel closed", re.IGNORECASE)
_OF_CLOSED: Final = Meaning(errors.SigningKeyError, "Google's client is closed: open the key again")
# How the text of grpc's INTERNAL begins where an answer is not a message of its type.
_UNDECODABLE: Final = "Exception deserializing response"


def refusal_behind(error: Exception) -> Exception:
    """What Cloud KMS refused, where only the details of its refusal could not be read.

    They are in a trailer of their own, ``grpc-status-details-bin``; Google's client raises
    DecodeError for damaged ones, and ValueError for those of another status.
    """
    refusal = error.__context__
    if isinstance(refusal, grpc.Call) and isinstance(refusal, grpc.RpcError):
        return google.from_grpc_status(refusal.code(), refusal.details() or "")
    return error


def explain(error: Exception, method: str = "") -> Failure | None:
    """What an exception of a method of Google's client means; None for one of another library."""
    if isinstance(error, ValueError) and _CLOSED.search(str(error)):
        return Failure(_OF_CLOSED, str(error))
    meaning = _meaning(method, error)
    if meaning is None:
        is_odd = isinstance(error, _OF_READING)
        return Failure(_MALFORMED, type(error).__name__) if is_odd else None
    if "{denied}" in meaning.advice:
        meaning = replace(meaning, advice=meaning.advice.format(denied=_denied(method, error)))
    return Failure(meaning, _said(error))


def explain_state(
    version: str,
    error: google.FailedPrecondition,
    state: str | None,
    unread: Exception | None = None,
) -> Failure:
    """Why Cloud KMS did not use a version: its state, or why that could not be read."""
    reading = unread and explain(unread, "get_crypto_key_version")
    why = f"{reading.said}; {reading.meaning.advice}" if reading else ""
    parent, number = split(version)
    advice = _STATES.get(state, _OTHER_STATE).format(
        number=number, flags=gcloud_flags(parent), unread=why
    )
    kind = KeyPendingError if state == "PENDING_GENERATION" else errors.KeyStateError
    return Failure(Meaning(kind, advice), f"it is {state}: " * bool(state) + _said(error))


def state_in(error: google.GoogleAPICallError) -> str | None:
    """The state of the key version, if FAILED_PRECONDITION says it."""
    for detail in error.details:
        if isinstance(detail, PreconditionFailure):
            for violation in detail.violations:
                if violation.type.startswith("KEY_"):
                    return str(violation.type).removeprefix("KEY_")
    match = _STATE.search(error.message or "")
    return match[1] if match else None


def _meaning(method: str, error: Exception) -> Meaning | None:
    kind = _kind(error)
    row = next((row for known, row in ERRORS.items() if issubclass(kind, known)), None)
    was_sent = isinstance(error, google.ServerError) and not issubclass(kind, auth.GoogleAuthError)
    if row and row.error.retriable and was_sent and method.startswith("create_"):
        return _PERHAPS_CREATED
    return _CREATING.get((method, kind), row)


def _kind(error: Exception) -> type[Exception]:
    """The class that says what happened, which is not always that of the exception."""
    text = getattr(error, "message", None) or ""
    if isinstance(error, google.GoogleAPICallError) and text.startswith(_PLUGIN_FAILED):
        # The request was never sent, because no access token could be obtained.
        unreachable = _TOKEN_SERVICE_UNREACHABLE.search(text)
        return auth.TransportError if unreachable else auth.RefreshError
    if isinstance(error, google.ResourceExhausted) and _TOO_LONG.search(text):
        return TooLongError
    is_damaged = (isinstance(error, google.InvalidArgument) and "_crc32c" in text) or (
        isinstance(error, google.InternalServerError) and text.startswith(_UNDECODABLE)
    )
    return IntegrityError if is_damaged else type(error)


def _said(error: Exception) -> str:
    status = getattr(error, "grpc_status_code", None)
    text = getattr(error, "message", None) or str(error)
    return ": ".join(part for part in (status.name if status else "", text) if part)


def _denied(method: str, error: Exception) -> str:
    permission, role = PERMISSIONS.get(method, (method, ""))
    permission = f"cloudkms.{permission}"
    details = getattr(error, "details", ())
    info = next((detail for detail in details if isinstance(detail, ErrorInfo)), ErrorInfo())
    named = info.metadata.get("permission")
    if info.reason and not named:
        return f"the reason is {info.reason}"
    if named and named != permission:
        return f"the caller lacks the permission {named}"
    source = f", which is in roles/cloudkms.{role}" if role else ""
    return f"the caller lacks the permission {permission}{source}"
