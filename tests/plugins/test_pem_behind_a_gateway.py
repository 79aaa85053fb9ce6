"""A gateway whose key is a PEM file, of every algorithm."""

from __future__ import annotations

from pathlib import Path

import pytest

from dfns_signers.emulator import Emulator
from tests.core.keys import ALGORITHMS, private_pem, stranger
from tests.plugins.gateway import assert_signs_behind_a_gateway


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_key_of_each_algorithm_signs_behind_a_gateway(
    algorithm: str, dfns_emulator: Emulator, tmp_path: Path
) -> None:
    key = tmp_path / "upstream.pem"
    key.write_bytes(private_pem(stranger(algorithm)))
    key.chmod(0o600)

    assert_signs_behind_a_gateway(dfns_emulator, tmp_path, {"backend": "pem", "path": str(key)})
