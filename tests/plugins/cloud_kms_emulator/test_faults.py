"""Faults on the emulator: queued, and gone when they have happened."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import grpc
import pytest
from google.api_core import exceptions as google

from cloud_kms_emulator import CloudKmsEmulator, Fault
from tests.plugins.cloud_kms_emulator.conftest import Client

DELAYS = [-1, "1", True, None, float("nan"), float("inf")]


@pytest.mark.parametrize("status", sorted(grpc.StatusCode.__members__.keys() - {"OK"}))
def test_queued_status_ends_one_call(
    status: str, cloud_kms: CloudKmsEmulator, client: Client, version: str
) -> None:
    cloud_kms.faults.add(Fault("GetPublicKey", status=status, message="as queued"))

    with pytest.raises(google.GoogleAPICallError) as caught:
        client.get_public_key(name=version, retry=None)

    assert caught.value.grpc_status_code == grpc.StatusCode[status]
    assert caught.value.message == "as queued"
    assert client.get_public_key(name=version)


def test_faults_come_in_their_order_and_to_their_method(
    cloud_kms: CloudKmsEmulator, client: Client, version: str
) -> None:
    cloud_kms.faults.load(
        [
            {"method": "AsymmetricSign", "status": "ABORTED"},
            {"method": "GetPublicKey", "status": "NOT_FOUND"},
            {"method": "GetPublicKey", "corrupt": "response.pem"},
        ]
    )

    with pytest.raises(google.NotFound):
        client.get_public_key(name=version)
    damaged, whole = (client.get_public_key(name=version).pem for _ in range(2))

    assert damaged != whole
    assert len(damaged) == len(whole)
    assert len(cloud_kms.faults) == 1
    cloud_kms.faults.clear()
    assert client.asymmetric_sign(request={"name": version, "data": b"m"})


def test_delay_lasts_until_the_client_gives_up(
    cloud_kms: CloudKmsEmulator, client: Client, version: str
) -> None:
    cloud_kms.faults.add(Fault("GetPublicKey", delay=600.0))

    with pytest.raises(google.DeadlineExceeded):
        client.get_public_key(name=version, retry=None, timeout=0.2)


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        ({"method": "m"}, "no delay, status or corrupt"),
        ({"method": "m", "status": "BROKEN"}, "'BROKEN' is not a gRPC status"),
        ({"method": "m", "status": "OK"}, "'OK' is not a gRPC status of a failure"),
        ({"method": "m", "status": 14}, "expected a string for 'status', not 14"),
        ({"method": None, "delay": 1}, "expected a string for 'method', not None"),
        ({"method": "m", "status": "ABORTED", "message": None}, "expected a string for 'message'"),
        ({"method": "m", "status": "ABORTED", "corrupt": "request.name"}, "nothing is damaged"),
        ({"method": "m", "corrupt": "signature"}, r"expected 'request\.FIELD'"),
        *(({"method": "m", "delay": one}, "seconds from 0 for 'delay'") for one in DELAYS),
        ({"method": "Sign", "delay": 1}, "'Sign' is not emulated; expected one of .*Asymmetric"),
        *(
            ({"method": "GetPublicKey", "corrupt": one}, "has no field")
            for one in ("response.", "response.signature", "response.pem.value", "request.pem")
        ),
        ({"method": "ListKeyRings", "corrupt": "response.key_rings"}, "has no field 'key_rings'"),
        ({"method": "GetCryptoKey", "corrupt": "response.primary"}, "has no field 'primary'"),
        ({"method": "m", "unknown": 1}, "expected a list of faults"),
    ],
)
def test_fault_that_is_none_is_refused(
    fault: dict[str, object], told: str, cloud_kms: CloudKmsEmulator
) -> None:
    with pytest.raises(ValueError, match=told):
        cloud_kms.faults.load([fault])


def test_delays_that_clients_gave_up_do_not_hold_up_others(
    cloud_kms: CloudKmsEmulator, client: Client, version: str
) -> None:
    cloud_kms.faults.add(*[Fault("GetPublicKey", delay=600.0)] * 20)

    def give_up(_number: int) -> None:
        with pytest.raises(google.DeadlineExceeded):
            client.get_public_key(name=version, retry=None, timeout=0.2)

    with ThreadPoolExecutor(20) as pool:
        list(pool.map(give_up, range(20)))
    cloud_kms.faults.clear()

    assert client.get_public_key(name=version, retry=None, timeout=20.0)


def test_damaged_request_is_recorded_as_it_was_sent(
    cloud_kms: CloudKmsEmulator, client: Client, version: str
) -> None:
    cloud_kms.faults.add(Fault("AsymmetricSign", corrupt="request.data"))

    client.asymmetric_sign(request={"name": version, "data": b"abc"}, retry=None)

    assert cloud_kms.calls[-1].request.data == b"abc"


def test_field_that_is_empty_is_damaged_too(
    cloud_kms: CloudKmsEmulator, client: Client, version: str
) -> None:
    cloud_kms.faults.add(Fault("AsymmetricSign", corrupt="request.name"))

    with pytest.raises(google.InvalidArgument, match="x01"):
        client.asymmetric_sign(request={"name": "", "data": b"m"}, retry=None)
