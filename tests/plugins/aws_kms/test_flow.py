"""Every algorithm through the whole Dfns flow, chosen by configuration alone, on real servers."""

from __future__ import annotations

from pathlib import Path

import pytest

from dfns_signers.emulator import Emulator
from tests.plugins.aws_kms.stores import Store
from tests.plugins.flow import assert_signs_the_whole_flow
from tests.plugins.gateway import assert_signs_behind_a_gateway

SPECS = ["ECC_NIST_P256", "ECC_SECG_P256K1", "RSA_2048"]


@pytest.mark.parametrize("spec", SPECS)
def test_each_algorithm_but_ed25519_signs_the_whole_flow_on_localstack(
    localstack: Store, dfns_emulator: Emulator, tmp_path: Path, spec: str
) -> None:
    alias = localstack.alias(localstack.arn(spec))

    assert_signs_the_whole_flow(dfns_emulator, tmp_path, localstack.server.signer(alias))


@pytest.mark.parametrize("spec", [*SPECS, "RSA_3072", "RSA_4096", "ECC_NIST_EDWARDS25519"])
def test_each_algorithm_signs_the_whole_flow_on_ministack(
    ministack: Store, dfns_emulator: Emulator, tmp_path: Path, spec: str
) -> None:
    alias = ministack.alias(ministack.arn(spec))

    assert_signs_the_whole_flow(dfns_emulator, tmp_path, ministack.server.signer(alias))


@pytest.mark.parametrize("spec", SPECS)
def test_each_algorithm_signs_behind_a_gateway_on_localstack(
    localstack: Store, dfns_emulator: Emulator, tmp_path: Path, spec: str
) -> None:
    alias = localstack.alias(localstack.arn(spec))

    assert_signs_behind_a_gateway(dfns_emulator, tmp_path, localstack.server.signer(alias))


def test_ed25519_signs_behind_a_gateway_on_ministack(
    ministack: Store, dfns_emulator: Emulator, tmp_path: Path
) -> None:
    alias = ministack.alias(ministack.arn("ECC_NIST_EDWARDS25519"))

    assert_signs_behind_a_gateway(dfns_emulator, tmp_path, ministack.server.signer(alias))
