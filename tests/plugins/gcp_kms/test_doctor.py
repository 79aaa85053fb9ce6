"""``doctor`` examines profiles of the Cloud KMS emulator."""

from __future__ import annotations

from pathlib import Path

import pytest

from cloud_kms_emulator import CloudKmsEmulator
from dfns_signers.emulator import Emulator
from tests.core.cli.support import Command
from tests.plugins.doctor import NOBODY_LISTENS, Fault, assert_in_order, assert_named
from tests.plugins.flow import Flow
from tests.plugins.gcp_kms.keys import CRYPTO_KEY

VERSION = f"{CRYPTO_KEY}/cryptoKeyVersions/1"
SIGN = "cloudkms.cryptoKeyVersions.useToSign"


@pytest.fixture
def flow(
    dfns_emulator: Emulator, cloud_kms: CloudKmsEmulator, version: str, tmp_path: Path
) -> Flow:
    signer = {"backend": "gcp-kms", "key_version": version, "endpoint": cloud_kms.endpoint}
    return Flow.of(dfns_emulator, tmp_path, {**signer, "max_attempts": 1})


FAULTS = [
    Fault(
        "disabled",
        "key state",
        "DISABLED",
        "gcloud kms keys versions enable 1",
        lambda cloud_kms: cloud_kms.set_state(VERSION, "DISABLED"),
    ),
    Fault(
        "gone",
        "key state",
        "DESTROYED",
        "create a new version",
        lambda cloud_kms: cloud_kms.set_state(VERSION, "DESTROYED"),
    ),
    Fault(
        "denied",
        "permissions",
        SIGN,
        "--role roles/cloudkms.signer",
        lambda cloud_kms: cloud_kms.deny(SIGN, CRYPTO_KEY),
    ),
    Fault(
        "wrong place",
        "key state",
        "NOT_FOUND",
        "check each part of the name",
        signer={"key_version": VERSION.replace("europe-west1", "global")},
    ),
    Fault(
        "unreachable",
        "key store",
        "UNAVAILABLE",
        "check the network and endpoint",
        signer={"endpoint": NOBODY_LISTENS},
    ),
]


def test_profile_in_order(command: Command, flow: Flow) -> None:
    assert_in_order(command, flow, "gcloud commands")


@pytest.mark.parametrize("fault", FAULTS, ids=str)
def test_fault_is_named_with_its_remedy(
    command: Command, flow: Flow, cloud_kms: CloudKmsEmulator, fault: Fault
) -> None:
    assert_named(command, flow, fault, cloud_kms)
