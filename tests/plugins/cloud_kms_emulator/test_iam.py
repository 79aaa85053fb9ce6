"""TestIamPermissions: what the caller may do with a resource."""

from __future__ import annotations

import grpc
import pytest
from google.api_core import exceptions as google

from cloud_kms_emulator import CloudKmsEmulator, Fault
from tests.plugins.cloud_kms_emulator.conftest import SERVICE, Client
from tests.plugins.gcp_kms.keys import CRYPTO_KEY, RING

SIGN = "cloudkms.cryptoKeyVersions.useToSign"
VIEW = "cloudkms.cryptoKeyVersions.viewPublicKey"

IAM = "/google.iam.v1.IAMPolicy/"


def granted(client: Client, resource: str, *permissions: str) -> list[str]:
    request = {"resource": resource, "permissions": permissions}
    return list(client.test_iam_permissions(request=request).permissions)


@pytest.mark.parametrize("resource", [CRYPTO_KEY, RING])
def test_everything_is_granted_at_first(resource: str, client: Client, version: str) -> None:
    assert granted(client, resource, SIGN, VIEW) == [SIGN, VIEW]


@pytest.mark.parametrize("scope", [CRYPTO_KEY, RING, "projects/p-1"])
def test_what_is_denied_on_a_resource_or_above_it_is_not_granted(
    scope: str, cloud_kms: CloudKmsEmulator, client: Client, version: str
) -> None:
    cloud_kms.deny(SIGN, scope)

    assert granted(client, CRYPTO_KEY, SIGN, VIEW) == [VIEW]
    cloud_kms.allow(SIGN, scope)
    assert granted(client, CRYPTO_KEY, SIGN, VIEW) == [SIGN, VIEW]


def test_what_is_denied_below_a_resource_is_granted_on_it(
    cloud_kms: CloudKmsEmulator, client: Client, version: str
) -> None:
    cloud_kms.deny(SIGN, CRYPTO_KEY)

    assert granted(client, RING, SIGN) == [SIGN]


def test_asking_takes_no_permission(
    cloud_kms: CloudKmsEmulator, client: Client, version: str
) -> None:
    cloud_kms.deny("*", "projects/p-1")

    assert granted(client, CRYPTO_KEY, SIGN) == []


@pytest.mark.parametrize("resource", [f"{RING}/cryptoKeys/other", RING.replace("ring", "other")])
def test_nothing_is_granted_on_a_resource_that_is_missing(
    resource: str, client: Client, version: str
) -> None:
    assert granted(client, resource, SIGN) == []


@pytest.mark.parametrize(
    ("resource", "permission"),
    [
        (f"{CRYPTO_KEY}/cryptoKeyVersions/1", SIGN),
        ("projects/p-1", SIGN),
        (CRYPTO_KEY, "cloudkms.*"),
        (CRYPTO_KEY, "storage.objects.get"),
    ],
)
def test_other_resources_and_permissions_are_refused(
    resource: str, permission: str, client: Client, version: str
) -> None:
    with pytest.raises(google.InvalidArgument):
        granted(client, resource, permission)


def test_it_fails_as_queued_and_is_recorded(
    cloud_kms: CloudKmsEmulator, client: Client, version: str
) -> None:
    cloud_kms.faults.add(
        Fault("TestIamPermissions", status="ABORTED"),
        Fault("TestIamPermissions", corrupt="request.resource"),
    )

    with pytest.raises(google.Aborted):
        granted(client, CRYPTO_KEY, SIGN)
    assert granted(client, CRYPTO_KEY, SIGN) == []
    assert [call.request.resource for call in cloud_kms.calls] == [CRYPTO_KEY] * 2


def test_each_service_answers_its_own_methods_only(cloud_kms: CloudKmsEmulator) -> None:
    with grpc.insecure_channel(cloud_kms.target) as channel:
        for method in (f"{SERVICE}TestIamPermissions", f"{IAM}GetPublicKey", f"{IAM}GetIamPolicy"):
            with pytest.raises(grpc.RpcError) as caught:
                channel.unary_unary(method, bytes, bytes)(b"")

            assert isinstance(caught.value, grpc.Call)
            assert caught.value.code() is grpc.StatusCode.UNIMPLEMENTED
            assert f"has no {method.rpartition('/')[2]}" in (caught.value.details() or "")
