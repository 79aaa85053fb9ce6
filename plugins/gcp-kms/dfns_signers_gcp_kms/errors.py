"""Google's errors as ours: what happened, to which key, and what to do next."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final

from google.api_core import exceptions as google
from google.auth import exceptions as auth
from google.rpc.error_details_pb2 import (  # type: ignore[import-untyped]
    ErrorInfo,
    PreconditionFailure,
)

from dfns_signers.errors import (
    KeyAccessError,
    KeyNotFoundError,
    KeyStateError,
    KeyStoreThrottledError,
    KeyStoreUnavailableError,
    SigningKeyError,
)


class DamagedAnswerError(KeyStoreUnavailableError):
    """What Cloud KMS sent or received was damaged on its way, each time it was tried."""


# The first that fits counts; a subclass stands before its base.
_ERRORS: Final[Mapping[type[Exception], tuple[type[SigningKeyError], str]]] = {
    google.NotFound: (
        KeyNotFoundError,
        (
            "there is no {name}: check each part of it; 'dfns-signers keys list --backend gcp-kms "
            "-o parent=projects/…/locations/…' shows what there is"
        ),
    ),
    google.PermissionDenied: (
        KeyAccessError,
        "access to {name} was denied, or there is no such resource: {why_denied}",
    ),
    google.Unauthenticated: (
        KeyAccessError,
        (
            "Google did not accept the credentials for {name}: renew them, or choose others with "
            "credentials_file or GOOGLE_APPLICATION_CREDENTIALS"
        ),
    ),
    google.FailedPrecondition: (KeyStateError, "{name} cannot be used as it is"),
    google.AlreadyExists: (SigningKeyError, "{name} exists already"),
    google.ResourceExhausted: (
        KeyStoreThrottledError,
        (
            "the quota of Cloud KMS for {name} is used up: try again later, raise max_attempts, or "
            "ask Google for more quota"
        ),
    ),
    google.DeadlineExceeded: (
        KeyStoreUnavailableError,
        "Cloud KMS did not answer in time for {name}: try again, or raise timeout",
    ),
    google.ServiceUnavailable: (
        KeyStoreUnavailableError,
        "Cloud KMS could not be reached for {name}: check the network and endpoint, and try again",
    ),
    google.MethodNotImplemented: (
        SigningKeyError,
        "what answers at the endpoint cannot do {method} for {name}: check endpoint",
    ),
    google.InvalidArgument: (
        SigningKeyError,
        "Cloud KMS found the request for {name} wrong: check the name and the algorithm of the key",
    ),
    google.ServerError: (
        KeyStoreUnavailableError,
        "Cloud KMS failed for {name}: try again later",
    ),
    auth.TransportError: (
        KeyStoreUnavailableError,
        "Google's token service could not be reached for {name}: check the network",
    ),
    auth.GoogleAuthError: (
        KeyAccessError,
        (
            "no access token could be had for {name}: renew the credentials, with "
            "'gcloud auth application-default login' or a new credentials_file, or see to the "
            "network if that is what failed"
        ),
    ),
    Exception: (SigningKeyError, "Cloud KMS did not do {method} for {name}"),
}

# Method of the client: the permission it needs, and the smallest predefined role that has it.
_PERMISSIONS: Final[Mapping[str, tuple[str, str]]] = {
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

UNDECODABLE: Final = "Exception deserializing response"
"""How the text of grpc's INTERNAL begins where an answer is no message of its type."""


@contextmanager
def translated(method: str, name: str) -> Iterator[None]:
    """Turn Google's errors into ours.

    Args:
        method: method of Google's client that is called.
        name: resource that it is called for.
    """
    try:
        yield
    except (google.GoogleAPIError, auth.GoogleAuthError) as error:
        raise translate(error, method, name) from error


def translate(error: Exception, method: str, name: str) -> SigningKeyError:
    """Ours for one of Google's; Google's own words are at its end."""
    found: type[Exception] = type(error)
    text = getattr(error, "message", None) or str(error)
    if is_token_failure(error):
        unreachable = _TOKEN_SERVICE_UNREACHABLE.search(text)
        found = auth.TransportError if unreachable else auth.RefreshError
    if is_damaged(error):
        return DamagedAnswerError(
            f"the request for {name} or its answer was damaged on its way. Try again; check what "
            f"stands between this machine and Google if it persists. Google says: {text}"
        )
    kind, advice = next(
        row for google_kind, row in _ERRORS.items() if issubclass(found, google_kind)
    )
    told = advice.format(name=name, method=method, why_denied=_why_denied(error, method))
    return kind(f"{told}. Google says: {text}")


def is_damaged(error: Exception) -> bool:
    """Whether a checksum did not fit what reached Cloud KMS, or its answer does not decode."""
    if isinstance(error, google.InternalServerError):
        return bool(error.message.startswith(UNDECODABLE))
    return isinstance(error, google.InvalidArgument) and "_crc32c" in error.message


def is_token_failure(error: BaseException | None) -> bool:
    """Whether the request was never sent, because no access token could be had."""
    return isinstance(error, google.GoogleAPICallError) and (error.message or "").startswith(
        _PLUGIN_FAILED
    )


def state_in(error: google.GoogleAPICallError) -> str | None:
    """The state of the key version, as far as FAILED_PRECONDITION tells it."""
    for detail in error.details:
        if isinstance(detail, PreconditionFailure):
            for violation in detail.violations:
                if violation.type.startswith("KEY_"):
                    return str(violation.type).removeprefix("KEY_")
    match = _STATE.search(error.message or "")
    return match[1] if match else None


def _why_denied(error: Exception, method: str) -> str:
    permission, role = _PERMISSIONS.get(method, (method, None))
    details = getattr(error, "details", ())
    info = next((detail for detail in details if isinstance(detail, ErrorInfo)), ErrorInfo())
    told = info.metadata.get("permission", "").removeprefix("cloudkms.")
    if info.reason and not told:
        return f"the reason is {info.reason}"
    if told and told != permission:
        permission, role = told, None
    source = f", which is in roles/cloudkms.{role}" if role else ""
    return f"the caller lacks the permission cloudkms.{permission}{source}"
