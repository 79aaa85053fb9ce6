"""What is said of the way to a key: each fault is named, with what to do."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from cloud_kms_emulator import CloudKmsEmulator, Fault
from dfns_signers.plugin import Finding, Severity
from dfns_signers_gcp_kms.options import GcpKmsOptions
from dfns_signers_gcp_kms.plugin import GcpKmsBackend
from tests.plugins.gcp_kms.conftest import MAX_ATTEMPTS
from tests.plugins.gcp_kms.keys import CRYPTO_KEY, REFUSED, RING, SIGNING, level_of, seed
from tests.secrecy import CANARY

BACKEND = GcpKmsBackend()
FLAGS = "--key key --keyring ring --location europe-west1 --project p-1"
WHERE = FLAGS.removeprefix("--key key ")
VIEW = "cloudkms.cryptoKeyVersions.viewPublicKey"
SIGN = "cloudkms.cryptoKeyVersions.useToSign"


def options(cloud_kms: CloudKmsEmulator, version: str, **more: Any) -> GcpKmsOptions:
    values = {"key_version": version, "endpoint": cloud_kms.endpoint, **more}
    return GcpKmsOptions.model_validate(values)


def findings(cloud_kms: CloudKmsEmulator, version: str, **more: Any) -> list[Finding]:
    found = list(BACKEND.diagnose(options(cloud_kms, version, **more)))
    assert all(bool(one.remedy) is (one.severity is not Severity.OK) for one in found)
    return found


def shape(found: list[Finding]) -> list[tuple[str, str]]:
    return [(one.check, one.severity.name) for one in found]


@pytest.mark.parametrize("kind", SIGNING)
def test_key_in_order_has_no_fault(kind: str, cloud_kms: CloudKmsEmulator) -> None:
    version = seed(cloud_kms, kind)

    store, state, permissions = findings(cloud_kms, version)

    assert shape([store, state, permissions]) == [
        ("key store", "OK"),
        ("key state", "OK"),
        ("permissions", "OK"),
    ]
    assert f"Google Cloud KMS at {cloud_kms.endpoint} answers without credentials" in store.message
    assert state.message == (
        f"the key {version} is ENABLED: {kind} at the protection level {level_of(kind)}, "
        f"{SIGNING[kind]} for Dfns"
    )
    assert f"may view the public key of {CRYPTO_KEY}, and sign with it" in permissions.message
    assert store.seconds is not None
    assert state.seconds is not None


def test_nothing_is_changed_or_signed(cloud_kms: CloudKmsEmulator, version: str) -> None:
    findings(cloud_kms, version)

    assert [call.method for call in cloud_kms.calls] == ["TestIamPermissions", "GetPublicKey"]


def test_each_finding_is_there_before_the_next_is_looked_for(
    cloud_kms: CloudKmsEmulator, version: str
) -> None:
    diagnosis = BACKEND.diagnose(options(cloud_kms, version))

    assert next(diagnosis).check == "key store"
    assert [call.method for call in cloud_kms.calls] == ["TestIamPermissions"]
    assert [one.check for one in diagnosis] == ["key state", "permissions"]


@dataclass(frozen=True)
class WrongState:
    """A state in which a version cannot sign, what is said of it and what to do."""

    state: str
    remedy: str
    said: str = ""


@pytest.mark.parametrize(
    "wrong",
    [
        WrongState("DISABLED", f"gcloud kms keys versions enable 1 {FLAGS}"),
        WrongState(
            "DESTROY_SCHEDULED",
            f"gcloud kms keys versions restore 1 {FLAGS}",
            r" for 20\d\d-\d\d-\d\d \d\d:\d\d UTC",
        ),
        WrongState("DESTROYED", "create a new version"),
        WrongState("PENDING_GENERATION", "try again later"),
        WrongState("GENERATION_FAILED", f"gcloud kms keys versions create {FLAGS}"),
    ],
    ids=lambda one: str(one.state),
)
def test_version_that_cannot_sign_is_named_with_its_state_and_what_to_do(
    wrong: WrongState, cloud_kms: CloudKmsEmulator, version: str
) -> None:
    cloud_kms.set_state(version, wrong.state)

    found = findings(cloud_kms, version)

    assert shape(found) == [("key store", "OK"), ("key state", "FAILURE"), ("permissions", "OK")]
    expected = f"the key {re.escape(version)} cannot sign: it is {wrong.state}{wrong.said}"
    assert re.fullmatch(expected, found[1].message)
    assert wrong.remedy in found[1].remedy


def test_state_is_named_where_reading_the_version_is_denied(
    cloud_kms: CloudKmsEmulator, version: str
) -> None:
    cloud_kms.set_state(version, "DESTROY_SCHEDULED")
    cloud_kms.deny("cloudkms.cryptoKeyVersions.get", CRYPTO_KEY)

    _, state, _ = findings(cloud_kms, version)

    assert state.message == f"the key {version} cannot sign: it is DESTROY_SCHEDULED"


def test_state_that_google_does_not_name_and_that_is_denied_is_said_to_be_unknown(
    cloud_kms: CloudKmsEmulator, version: str
) -> None:
    fault = Fault("GetPublicKey", status="FAILED_PRECONDITION", message="not now")
    cloud_kms.faults.add(fault)
    cloud_kms.deny("cloudkms.cryptoKeyVersions.get", CRYPTO_KEY)

    _, state, _ = findings(cloud_kms, version)

    assert state.message == f"the key {version} cannot sign: FAILED_PRECONDITION: not now"
    assert "its state could not be read (PERMISSION_DENIED: " in state.remedy
    assert f"gcloud kms keys versions describe 1 {FLAGS}" in state.remedy


@pytest.mark.parametrize(
    ("denied", "role", "checks"),
    [
        ([SIGN], "roles/cloudkms.signer", "OK OK FAILURE"),
        ([VIEW], "roles/cloudkms.publicKeyViewer", "OK FAILURE FAILURE"),
        ([SIGN, VIEW], "roles/cloudkms.signerVerifier", "OK FAILURE FAILURE"),
        (["*"], "roles/cloudkms.signerVerifier", "OK FAILURE FAILURE"),
    ],
)
def test_missing_permissions_are_named_with_the_command_that_grants_them(
    denied: list[str], role: str, checks: str, cloud_kms: CloudKmsEmulator, version: str
) -> None:
    for permission in denied:
        cloud_kms.deny(permission, CRYPTO_KEY)

    found = findings(cloud_kms, version)

    assert " ".join(one.severity.name for one in found) == checks
    missing = {SIGN, VIEW} if denied == ["*"] else set(denied)
    assert {name for name in (SIGN, VIEW) if name in found[-1].message} == missing
    assert f"gcloud kms keys add-iam-policy-binding key {WHERE} --member " in found[-1].remedy
    assert found[-1].remedy.endswith(f" --role {role}")


@pytest.mark.parametrize(
    "status",
    [
        "UNIMPLEMENTED",
        "PERMISSION_DENIED",
        "INVALID_ARGUMENT",
        "NOT_FOUND",
        "FAILED_PRECONDITION",
        "RESOURCE_EXHAUSTED",
    ],
)
def test_permissions_that_cloud_kms_does_not_say_are_said_to_be_unknown(
    status: str, cloud_kms: CloudKmsEmulator, version: str
) -> None:
    cloud_kms.faults.add(Fault("TestIamPermissions", status=status, message="in its words"))

    found = findings(cloud_kms, version, max_attempts=1)

    assert shape(found) == [("key store", "OK"), ("key state", "OK"), ("permissions", "WARNING")]
    assert "is not known before the first signature" in found[-1].message
    assert f"{status}: in its words" in found[-1].message
    assert "roles/cloudkms.signerVerifier" in found[-1].remedy


def test_denied_public_key_is_a_failure_where_permissions_are_unknown(
    cloud_kms: CloudKmsEmulator, version: str
) -> None:
    cloud_kms.faults.add(Fault("TestIamPermissions", status="UNIMPLEMENTED"))
    cloud_kms.deny(VIEW, CRYPTO_KEY)

    found = findings(cloud_kms, version)

    assert shape(found)[1:] == [("key state", "FAILURE"), ("permissions", "WARNING")]
    assert f"lacks the permission {VIEW}" in found[1].remedy


@pytest.mark.parametrize(
    "name",
    [
        f"{CRYPTO_KEY}/cryptoKeyVersions/9",
        f"{RING}/cryptoKeys/other/cryptoKeyVersions/1",
        f"{CRYPTO_KEY}/cryptoKeyVersions/1".replace("p-1", "p-2"),
        f"{CRYPTO_KEY}/cryptoKeyVersions/1".replace("europe-west1", "global"),
    ],
    ids=["version", "key", "project", "location"],
)
def test_key_that_is_missing_is_the_last_finding(
    name: str, cloud_kms: CloudKmsEmulator, version: str
) -> None:
    found = findings(cloud_kms, name)

    assert shape(found) == [("key store", "OK"), ("key state", "FAILURE")]
    assert f"cannot open the key {name}: NOT_FOUND" in found[-1].message
    assert "check each part of the name" in found[-1].remedy


@pytest.mark.parametrize("kind", [*REFUSED, "RSA_DECRYPT_OAEP_2048_SHA256"])
def test_algorithm_or_purpose_that_dfns_does_not_take_is_the_last_finding(
    kind: str, cloud_kms: CloudKmsEmulator
) -> None:
    found = findings(cloud_kms, seed(cloud_kms, kind))

    assert shape(found) == [("key store", "OK"), ("key state", "FAILURE")]
    assert f"has the algorithm {kind}, whose signatures Dfns does not accept" in found[-1].message
    assert "dfns-signers keys create" in found[-1].remedy


def test_name_of_a_crypto_key_is_answered_with_that_of_its_version(
    cloud_kms: CloudKmsEmulator, version: str
) -> None:
    found = findings(cloud_kms, CRYPTO_KEY)

    assert shape(found) == [("key store", "OK"), ("key state", "FAILURE")]
    assert f"Set key_version = '{version}'" in found[-1].message


@pytest.mark.parametrize("status", ["UNAVAILABLE", "INTERNAL", "UNAUTHENTICATED"])
def test_cloud_kms_that_does_not_answer_as_itself_is_the_only_finding(
    status: str, cloud_kms: CloudKmsEmulator, version: str
) -> None:
    fault = Fault("TestIamPermissions", status=status, message="in its words")
    cloud_kms.faults.add(*[fault] * MAX_ATTEMPTS)

    (found,) = findings(cloud_kms, version)

    assert (found.check, found.severity) == ("key store", Severity.FAILURE)
    assert f"{status}: in its words" in found.message


def test_endpoint_that_is_down_is_the_only_finding(
    cloud_kms: CloudKmsEmulator, version: str
) -> None:
    cloud_kms.stop()

    (found,) = findings(cloud_kms, version, max_attempts=1)

    assert (found.check, found.severity) == ("key store", Severity.FAILURE)
    assert "UNAVAILABLE: " in found.message
    assert "check the network and endpoint" in found.remedy
    assert found.seconds is not None


def test_outage_while_the_key_is_read_is_the_last_finding(
    cloud_kms: CloudKmsEmulator, version: str
) -> None:
    cloud_kms.faults.add(*[Fault("GetPublicKey", status="UNAVAILABLE")] * MAX_ATTEMPTS)

    found = findings(cloud_kms, version)

    assert shape(found) == [("key store", "OK"), ("key state", "FAILURE")]


VERSION = f"{CRYPTO_KEY}/cryptoKeyVersions/1"


def test_missing_credentials_are_the_only_finding() -> None:
    (found,) = BACKEND.diagnose(GcpKmsOptions(key_version=VERSION))

    assert (found.check, found.severity) == ("key store", Severity.FAILURE)
    assert "cannot load Google credentials: " in found.message
    assert "gcloud auth application-default login" in found.remedy


def test_unusable_credentials_file_is_the_only_finding_and_is_not_quoted(tmp_path: Path) -> None:
    file = tmp_path / "account.json"
    file.write_text(json.dumps({"type": "service_account", "client_email": CANARY}))

    (found,) = BACKEND.diagnose(GcpKmsOptions(key_version=VERSION, credentials_file=file))

    assert f"the credentials file {file} is not a complete service_account file" in found.message
    assert "credentials that the profile names" in found.remedy
    assert CANARY not in f"{found.message}{found.remedy}"
