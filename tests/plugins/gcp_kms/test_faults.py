"""Whatever happens to the connection to Cloud KMS, a signature is valid or an error of ours."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from cloud_kms_emulator import CloudKmsEmulator
from tests.plugins.gcp_kms.conftest import OpenKey
from tests.support.byte_fault_proxy import BYTE_FAULTS, ByteFaultProxy
from tests.support.key_faults import LIMITS, problem


@pytest.mark.parametrize("fault", BYTE_FAULTS)
def test_every_fault_of_the_connection(
    cloud_kms: CloudKmsEmulator, open_key: OpenKey, version: str, fault: str
) -> None:
    with ByteFaultProxy(address_of(cloud_kms)) as proxy:
        key = open_key(version, target=f"127.0.0.1:{proxy.port}", **LIMITS)
        proxy.plan = lambda number: fault
        proxy.break_connections()

        with ThreadPoolExecutor(16) as pool:
            problems = list(pool.map(lambda _: problem(key, b"message"), range(16)))

    assert set(problems) == {None}
    assert set(proxy.faults) == {fault}


def address_of(cloud_kms: CloudKmsEmulator) -> tuple[str, int]:
    host, _, port = cloud_kms.target.rpartition(":")
    return host, int(port)
