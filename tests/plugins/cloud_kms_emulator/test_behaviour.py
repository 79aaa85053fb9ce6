"""What only the emulator can be made to do: time, denials, unknown fields."""

from __future__ import annotations

import hashlib

import grpc
import pytest
from google.api_core import exceptions as google
from google.cloud.kms_v1 import (
    AsymmetricSignRequest,
    PublicKey,
)
from google.rpc.error_details_pb2 import (  # type: ignore[import-untyped]
    ErrorInfo,
    PreconditionFailure,
)

from cloud_kms_emulator import CloudKmsEmulator
from tests.plugins.cloud_kms_emulator.conftest import (
    Client,
    State,
    create_key,
    plain_client,
    raw_call,
)
from tests.plugins.gcp_kms.keys import CRYPTO_KEY, RING, private_key, seed, verify

VERSION = f"{CRYPTO_KEY}/cryptoKeyVersions/1"


class Clock:
    def __init__(self) -> None:
        self.now = 1_700_000_000.0

    def __call__(self) -> float:
        return self.now


def test_version_is_pending_for_as_long_as_generation_takes() -> None:
    clock = Clock()
    with (
        CloudKmsEmulator(generation_delay=60.0, clock=clock) as emulator,
        plain_client(emulator.target) as client,
    ):
        client.create_key_ring(
            parent="projects/p-1/locations/europe-west1", key_ring_id="ring", key_ring={}
        )
        key = create_key(client, RING, "EC_SIGN_ED25519")
        version = client.create_crypto_key_version(parent=key.name, crypto_key_version={})

        clock.now += 59
        with pytest.raises(google.FailedPrecondition) as caught:
            client.get_public_key(name=version.name)
        clock.now += 1
        assert client.get_crypto_key_version(name=version.name).state == State.ENABLED

    told = f"{version.name} is not enabled, current state is: PENDING_GENERATION."
    assert caught.value.message == told
    (detail,) = caught.value.details
    assert isinstance(detail, PreconditionFailure)
    assert detail.violations[0].type == "KEY_PENDING_GENERATION"


def test_scheduled_destruction_takes_place_after_thirty_days() -> None:
    clock = Clock()
    with CloudKmsEmulator(clock=clock) as emulator, plain_client(emulator.target) as client:
        name = seed(emulator, "EC_SIGN_ED25519")
        client.destroy_crypto_key_version(name=name)

        clock.now += 30 * 86_400 - 1
        before = client.get_crypto_key_version(name=name).state
        clock.now += 1
        after = client.get_crypto_key_version(name=name).state
        with pytest.raises(google.FailedPrecondition):
            client.restore_crypto_key_version(name=name)

    assert (before, after) == (State.DESTROY_SCHEDULED, State.DESTROYED)


@pytest.mark.parametrize("state", ["DISABLED", "DESTROY_SCHEDULED", "DESTROYED"])
def test_version_that_is_not_enabled_neither_signs_nor_shows_its_public_key(
    state: str, cloud_kms: CloudKmsEmulator, client: Client, version: str
) -> None:
    cloud_kms.set_state(version, state)

    with pytest.raises(google.FailedPrecondition, match=f"current state is: {state}"):
        client.asymmetric_sign(request={"name": version, "data": b"m"})
    with pytest.raises(google.FailedPrecondition, match=f"current state is: {state}"):
        client.get_public_key(name=version)


def test_decryption_is_refused_for_the_purpose_of_a_signing_key_and_as_missing_otherwise(
    cloud_kms: CloudKmsEmulator, client: Client, version: str
) -> None:
    decrypting = seed(cloud_kms, "RSA_DECRYPT_OAEP_2048_SHA256", f"{RING}/cryptoKeys/decrypting")

    with pytest.raises(google.FailedPrecondition, match="does not allow AsymmetricDecrypt"):
        client.asymmetric_decrypt(name=version, ciphertext=b"c")
    with pytest.raises(google.MethodNotImplemented, match="does not decrypt"):
        client.asymmetric_decrypt(name=decrypting, ciphertext=b"c")
    with pytest.raises(google.FailedPrecondition, match="does not allow AsymmetricSign"):
        client.asymmetric_sign(request={"name": decrypting, "data": b"m"})


def test_call_that_is_not_emulated_says_so(client: Client) -> None:
    with pytest.raises(google.MethodNotImplemented, match="the Cloud KMS emulator has no Encrypt"):
        client.encrypt(name=CRYPTO_KEY, plaintext=b"p")


def test_another_service_is_not_there(cloud_kms: CloudKmsEmulator) -> None:
    with (
        grpc.insecure_channel(cloud_kms.target) as channel,
        pytest.raises(grpc.RpcError, match="Method not found"),
    ):
        channel.unary_unary("/google.longrunning.Operations/GetOperation", bytes, bytes)(b"")


@pytest.mark.parametrize("algorithm", ["GOOGLE_SYMMETRIC_ENCRYPTION", "PQ_SIGN_ML_DSA_65"])
def test_key_of_an_algorithm_that_is_not_emulated_says_so(
    algorithm: str, client: Client, version: str
) -> None:
    with pytest.raises(google.MethodNotImplemented, match=f"has no {algorithm} keys"):
        create_key(client, RING, algorithm)


def test_only_the_state_of_a_version_is_updated(client: Client, version: str) -> None:
    def update(state: str, *mask: str) -> None:
        client.update_crypto_key_version(
            crypto_key_version={"name": version, "state": state}, update_mask={"paths": mask}
        )

    with pytest.raises(google.MethodNotImplemented, match="updates the state of a version only"):
        update("DISABLED", "state", "external_protection_level_options")
    with pytest.raises(google.InvalidArgument, match="not to DESTROYED"):
        update("DESTROYED", "state")


def test_denied_permission_is_denied_on_the_resource_and_below_until_it_is_allowed(
    cloud_kms: CloudKmsEmulator, client: Client, version: str
) -> None:
    other = seed(cloud_kms, "EC_SIGN_ED25519", f"{RING}/cryptoKeys/key-2")
    cloud_kms.deny("cloudkms.cryptoKeyVersions.viewPublicKey", CRYPTO_KEY)

    with pytest.raises(google.PermissionDenied) as caught:
        client.get_public_key(name=version)
    assert client.get_public_key(name=other)
    assert client.get_crypto_key_version(name=version)
    cloud_kms.allow("cloudkms.cryptoKeyVersions.viewPublicKey", CRYPTO_KEY)
    assert client.get_public_key(name=version)

    assert caught.value.message == (
        f"Permission 'cloudkms.cryptoKeyVersions.viewPublicKey' denied on resource '{version}' (or "
        "it may not exist)."
    )
    (detail,) = caught.value.details
    assert isinstance(detail, ErrorInfo)
    assert detail.reason == "IAM_PERMISSION_DENIED"


def test_denial_tells_nothing_of_whether_the_resource_exists(
    cloud_kms: CloudKmsEmulator, client: Client
) -> None:
    cloud_kms.deny("*", "projects/p-1")

    with pytest.raises(google.PermissionDenied):
        client.get_crypto_key(name=f"{RING}/cryptoKeys/missing")


@pytest.mark.parametrize(
    ("method", "request_", "field"),
    [
        ("get_public_key", {"name": VERSION, "public_key_format": "PEM"}, "public_key_format"),
        ("list_crypto_key_versions", {"parent": CRYPTO_KEY, "filter": "x"}, "filter"),
        ("list_crypto_keys", {"parent": RING, "order_by": "name"}, "order_by"),
        ("list_crypto_keys", {"parent": RING, "version_view": "FULL"}, "version_view"),
    ],
)
def test_field_that_is_not_read_is_an_error_that_names_it(
    method: str, request_: dict[str, str], field: str, client: Client, version: str
) -> None:
    assert version == VERSION

    with pytest.raises(google.MethodNotImplemented, match=f"does not support the field {field} of"):
        getattr(client, method)(request=request_)


@pytest.mark.parametrize("setting", ["import_only", "rotation_period", "crypto_key_backend"])
def test_setting_of_a_key_that_is_not_emulated_is_an_error_that_names_it(
    setting: str, client: Client, version: str
) -> None:
    values = {"import_only": True, "rotation_period": {"seconds": 1}, "crypto_key_backend": "x"}

    with pytest.raises(google.MethodNotImplemented, match=f"crypto_key.{setting} of Create"):
        client.create_crypto_key(
            parent=RING,
            crypto_key_id="new",
            crypto_key={
                "purpose": "ASYMMETRIC_SIGN",
                "version_template": {"algorithm": "EC_SIGN_ED25519"},
                setting: values[setting],
            },
        )


def test_field_of_a_later_version_of_the_api_is_an_error_that_names_its_number(
    cloud_kms: CloudKmsEmulator, version: str
) -> None:
    known = AsymmetricSignRequest.serialize(AsymmetricSignRequest(name=version, data=b"m"))
    later = bytes([0x98, 0x06, 0x01])  # field 99 as a number, 1

    with pytest.raises(grpc.RpcError, match="does not support the field number 99"):
        raw_call(cloud_kms.target, "AsymmetricSign", known + later)


def test_client_of_another_language_needs_the_messages_only(
    cloud_kms: CloudKmsEmulator, version: str
) -> None:
    name = version.encode()
    data = b"m"
    wire = bytes([0x0A, len(name)]) + name + bytes([0x32, len(data)]) + data

    signed = raw_call(cloud_kms.target, "AsymmetricSign", wire)
    shown = raw_call(cloud_kms.target, "GetPublicKey", wire[: 2 + len(name)])

    assert signed[:2] == bytes([0x0A, 64])
    assert b"-----BEGIN PUBLIC KEY-----" in PublicKey.deserialize(shown).pem.encode()


def test_page_token_of_another_list_is_refused(cloud_kms: CloudKmsEmulator, client: Client) -> None:
    other = f"{RING}/cryptoKeys/key-2"
    for name in (CRYPTO_KEY, CRYPTO_KEY, other, other):
        seed(cloud_kms, "EC_SIGN_ED25519", name)
    page = client.list_crypto_key_versions(request={"parent": CRYPTO_KEY, "page_size": 1})

    with pytest.raises(google.InvalidArgument, match="is not from a page of"):
        client.list_crypto_key_versions(
            request={"parent": other, "page_token": page.next_page_token}
        )
    with pytest.raises(google.InvalidArgument, match="is negative"):
        client.list_crypto_key_versions(request={"parent": other, "page_size": -1})


def test_signature_is_by_the_private_key_that_was_given(
    cloud_kms: CloudKmsEmulator, client: Client
) -> None:
    version = seed(cloud_kms, "EC_SIGN_P256_SHA256")
    digest = hashlib.sha256(b"m").digest()

    answer = client.asymmetric_sign(name=version, digest={"sha256": digest})

    public = private_key("EC_SIGN_P256_SHA256").public_key()
    verify("EC_SIGN_P256_SHA256", public, answer.signature, b"m")
