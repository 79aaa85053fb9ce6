"""A key is rotated on real servers: the key that follows it takes over."""

from __future__ import annotations

from pathlib import Path

import pytest

from dfns_signers.emulator import Emulator
from tests.plugins.aws_kms.stores import Store
from tests.plugins.rotating import assert_rotates


@pytest.mark.parametrize("spec", ["ECC_NIST_P256", "RSA_2048"])
def test_next_key_takes_over_on_localstack(
    localstack: Store, dfns_emulator: Emulator, tmp_path: Path, spec: str
) -> None:
    alias = f"alias/{spec}-rotated"
    localstack.client.create_alias(AliasName=alias, TargetKeyId=localstack.arn(spec))

    assert_rotates(dfns_emulator, tmp_path, localstack.server.signer(alias))


def test_next_key_takes_over_on_ministack(
    ministack: Store, dfns_emulator: Emulator, tmp_path: Path
) -> None:
    arn = ministack.arn("ECC_NIST_EDWARDS25519")

    assert_rotates(dfns_emulator, tmp_path, ministack.server.signer(arn))
