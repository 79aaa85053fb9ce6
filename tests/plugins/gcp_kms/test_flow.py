"""The whole Dfns flow by configuration alone, with every algorithm."""

from __future__ import annotations

from pathlib import Path

import pytest

from cloud_kms_emulator import CloudKmsEmulator
from dfns_signers.emulator import Emulator
from tests.plugins.flow import assert_signs_the_whole_flow
from tests.plugins.gateway import assert_signs_behind_a_gateway
from tests.plugins.gcp_kms.keys import SIGNING, seed


@pytest.fixture(params=SIGNING)
def signer(request: pytest.FixtureRequest, cloud_kms: CloudKmsEmulator) -> dict[str, str]:
    """The table of a profile for a key of each algorithm."""
    version = seed(cloud_kms, request.param)
    return {"backend": "gcp-kms", "key_version": version, "endpoint": cloud_kms.endpoint}


def test_configured_key_signs_the_whole_flow(
    signer: dict[str, str], dfns_emulator: Emulator, cloud_kms: CloudKmsEmulator, tmp_path: Path
) -> None:
    assert_signs_the_whole_flow(dfns_emulator, tmp_path, signer)

    methods = {call.method for call in cloud_kms.calls}
    assert methods == {"GetPublicKey", "AsymmetricSign"}


def test_configured_key_signs_behind_a_gateway(
    signer: dict[str, str], dfns_emulator: Emulator, tmp_path: Path
) -> None:
    assert_signs_behind_a_gateway(dfns_emulator, tmp_path, signer)
