"""Each error of Google's as ours."""

from __future__ import annotations

import pickle
from typing import Any, cast

import grpc
import pytest
from google.api_core import exceptions as google
from google.auth import exceptions as auth
from google.rpc.error_details_pb2 import ErrorInfo  # type: ignore[import-untyped]

from cloud_kms_emulator import CloudKmsEmulator, Fault
from dfns_signers.errors import (
    KeyAccessError,
    KeyNotFoundError,
    KeyStateError,
    KeyStoreThrottledError,
    KeyStoreUnavailableError,
    SigningKeyError,
)
from dfns_signers.plugin import RequestLimits
from dfns_signers_gcp_kms.client import GcpKms
from dfns_signers_gcp_kms.key import GcpKmsKey
from tests.plugins.gcp_kms.conftest import MAX_ATTEMPTS, OpenKey

STATUSES = {
    "NOT_FOUND": (KeyNotFoundError, "keys list --backend gcp-kms"),
    "PERMISSION_DENIED": (KeyAccessError, "cloudkms.cryptoKeyVersions.useToSign"),
    "UNAUTHENTICATED": (KeyAccessError, "credentials_file"),
    "FAILED_PRECONDITION": (KeyStateError, "gcloud kms keys versions describe 1"),
    "RESOURCE_EXHAUSTED": (KeyStoreThrottledError, "quota"),
    "UNAVAILABLE": (KeyStoreUnavailableError, "check the network and endpoint"),
    "DEADLINE_EXCEEDED": (KeyStoreUnavailableError, "raise read_timeout"),
    "INTERNAL": (KeyStoreUnavailableError, "try again later"),
    "UNKNOWN": (KeyStoreUnavailableError, "try again later"),
    "DATA_LOSS": (KeyStoreUnavailableError, "try again later"),
    "UNIMPLEMENTED": (SigningKeyError, "check endpoint"),
    "INVALID_ARGUMENT": (SigningKeyError, "check the name"),
    "ABORTED": (SigningKeyError, "did not carry it out"),
    "OUT_OF_RANGE": (SigningKeyError, "did not carry it out"),
}


@pytest.mark.parametrize("status", STATUSES)
def test_status_is_reported_as_the_error_that_fits(
    status: str, cloud_kms: CloudKmsEmulator, key: GcpKmsKey
) -> None:
    expected, advice = STATUSES[status]
    fault = Fault("AsymmetricSign", status=status, message="google's own words")
    cloud_kms.faults.add(*[fault] * MAX_ATTEMPTS)

    with pytest.raises(SigningKeyError) as caught:
        key.sign(b"m")

    error = caught.value
    assert type(error) is expected
    assert str(error).startswith(f"cannot sign with the key {key.reference}: ")
    assert advice in str(error)
    assert f"{status}: google's own words; " in str(error)
    assert isinstance(error.__cause__, google.GoogleAPICallError)
    sent = [call for call in cloud_kms.calls if call.method == "AsymmetricSign"]
    assert len(sent) == (MAX_ATTEMPTS if error.retriable else 1)
    assert f"(attempt {len(sent)} of {MAX_ATTEMPTS})" in str(error)
    assert type(pickle.loads(pickle.dumps(error))) is expected


def test_every_status_that_grpc_has_is_tried_here() -> None:
    local_only = {"OK"}
    raised_elsewhere = {"ALREADY_EXISTS", "CANCELLED"}

    assert STATUSES.keys() | local_only | raised_elsewhere == set(grpc.StatusCode.__members__)


def test_denied_permission_is_named_with_the_role_that_has_it(
    cloud_kms: CloudKmsEmulator, version: str, open_key: OpenKey
) -> None:
    cloud_kms.deny("cloudkms.cryptoKeyVersions.viewPublicKey", version)

    with pytest.raises(KeyAccessError) as caught:
        open_key(version)

    permission = "cloudkms.cryptoKeyVersions.viewPublicKey"
    assert f"lacks the permission {permission}, which is in roles/cloudkms.publicKeyViewer" in str(
        caught.value
    )


def make(kind: Any, text: str, *details: object) -> Exception:
    """An error of Google's untyped classes."""
    return cast("Exception", kind(text, details=details) if details else kind(text))


VERSION = "projects/p/locations/l/keyRings/r/cryptoKeys/k/cryptoKeyVersions/1"


class Raising:
    """Stands for Google's client: raises what the emulator cannot provoke."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    def get_public_key(self, **_request: object) -> None:
        raise self.error


def opening(error: Exception) -> SigningKeyError:
    """What a caller sees where Google's client raises an error."""
    client: Any = Raising(error)
    with pytest.raises(SigningKeyError) as caught:
        GcpKmsKey(VERSION, client=GcpKms(client, RequestLimits(max_attempts=1)))
    return caught.value


def denied(**info: object) -> Exception:
    return make(google.PermissionDenied, "no", ErrorInfo(**info))


def test_permission_that_google_names_counts_over_the_expected_one() -> None:
    error = denied(reason="X", metadata={"permission": "serviceusage.services.use"})

    said = str(opening(error))

    assert "lacks the permission serviceusage.services.use;" in said
    assert "viewPublicKey" not in said
    assert "roles/" not in said


def test_denial_for_another_reason_names_the_reason() -> None:
    said = str(opening(denied(reason="SERVICE_DISABLED")))

    assert "the reason is SERVICE_DISABLED" in said
    assert "lacks the permission" not in said


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (make(auth.RefreshError, "expired"), KeyAccessError),
        (make(auth.TransportError, "expired"), KeyStoreUnavailableError),
        (
            make(google.ServiceUnavailable, "Getting metadata from plugin failed: expired"),
            KeyAccessError,
        ),
        *(
            (
                make(google.ServiceUnavailable, f"Getting metadata from plugin failed: {text}"),
                KeyStoreUnavailableError,
            )
            for text in (
                "HTTPSConnectionPool(host='oauth2', port=443): expired",
                "Max retries exceeded with url: /token: expired",
                "Read timed out: expired",
            )
        ),
    ],
    ids=["refused", "unreachable", "reported by grpc", "no connection", "no retries", "slow"],
)
def test_failure_to_get_a_token_is_reported(
    error: Exception, expected: type[SigningKeyError]
) -> None:
    ours = opening(error)

    assert type(ours) is expected
    assert VERSION in str(ours)
    assert "expired" in str(ours)


def test_service_that_nobody_runs_is_unavailable(
    cloud_kms: CloudKmsEmulator, key: GcpKmsKey
) -> None:
    cloud_kms.stop()

    with pytest.raises(KeyStoreUnavailableError, match="check the network and endpoint"):
        key.sign(b"m")
