"""A key is rotated on the Cloud KMS emulator: its next version takes over."""

from __future__ import annotations

from pathlib import Path

import pytest

from cloud_kms_emulator import CloudKmsEmulator
from dfns_signers.emulator import Emulator
from tests.plugins.gcp_kms.keys import SIGNING, seed
from tests.plugins.rotating import assert_rotates


@pytest.mark.parametrize("algorithm", SIGNING)
def test_next_version_of_a_key_takes_over(
    algorithm: str, dfns_emulator: Emulator, cloud_kms: CloudKmsEmulator, tmp_path: Path
) -> None:
    signer = {
        "backend": "gcp-kms",
        "key_version": seed(cloud_kms, algorithm),
        "endpoint": cloud_kms.endpoint,
    }

    assert_rotates(dfns_emulator, tmp_path, signer)
