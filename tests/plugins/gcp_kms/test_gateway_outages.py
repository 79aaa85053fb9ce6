"""A gateway whose key in Cloud KMS cannot sign for a while."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest

from cloud_kms_emulator import CloudKmsEmulator
from dfns_signers.emulator import Emulator
from tests.plugins.gateway_outages import (
    Outage,
    address_of,
    assert_says_so_and_recovers,
    unreachable,
)
from tests.plugins.gcp_kms.keys import seed
from tests.support.byte_fault_proxy import ByteFaultProxy

PERMISSION = "cloudkms.cryptoKeyVersions.useToSign"


def disabled(cloud_kms: CloudKmsEmulator, version: str) -> Outage:
    @contextmanager
    def outage() -> Iterator[None]:
        cloud_kms.set_state(version, "DISABLED")
        yield
        cloud_kms.set_state(version, "ENABLED")

    return outage


def denied(cloud_kms: CloudKmsEmulator, version: str) -> Outage:
    @contextmanager
    def outage() -> Iterator[None]:
        cloud_kms.deny(PERMISSION, version)
        yield
        cloud_kms.allow(PERMISSION, version)

    return outage


@pytest.mark.parametrize("outage", [disabled, denied])
def test_key_that_cannot_sign_for_a_while_signs_again(
    outage: Callable[[CloudKmsEmulator, str], Outage],
    dfns_emulator: Emulator,
    cloud_kms: CloudKmsEmulator,
    tmp_path: Path,
) -> None:
    version = seed(cloud_kms, "EC_SIGN_P256_SHA256")
    signer = {"backend": "gcp-kms", "key_version": version, "endpoint": cloud_kms.endpoint}

    assert_says_so_and_recovers(dfns_emulator, tmp_path, signer, outage(cloud_kms, version), "key")


def test_cloud_kms_that_cannot_be_reached_is_waited_for(
    dfns_emulator: Emulator, cloud_kms: CloudKmsEmulator, tmp_path: Path
) -> None:
    version = seed(cloud_kms, "EC_SIGN_P256_SHA256")
    with ByteFaultProxy(address_of(cloud_kms.endpoint)) as proxy:
        endpoint = f"http://127.0.0.1:{proxy.port}"
        signer = {"backend": "gcp-kms", "key_version": version, "endpoint": endpoint}
        outage = partial(unreachable, proxy)

        assert_says_so_and_recovers(dfns_emulator, tmp_path, signer, outage, "key-store")
