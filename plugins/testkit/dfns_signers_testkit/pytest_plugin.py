"""pytest fixtures, available wherever dfns-signers-testkit is installed.

Each starts its server once in a session, on a free port of 127.0.0.1 and with a folder of its own,
so that suites and workers of pytest-xdist can run at the same time.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from dfns_signers_testkit.aws import LOCALSTACK, MINISTACK, LocalKms
from dfns_signers_testkit.vault import VaultServer, local_vault

if TYPE_CHECKING:
    from cloud_kms_emulator import CloudKmsEmulator


@pytest.fixture(scope="session")
def localstack() -> Iterator[LocalKms]:
    """LocalStack with AWS KMS, empty."""
    with LocalKms(LOCALSTACK) as server:
        yield server


@pytest.fixture(scope="session")
def ministack() -> Iterator[LocalKms]:
    """MiniStack with AWS KMS, empty."""
    with LocalKms(MINISTACK) as server:
        yield server


@pytest.fixture(scope="session")
def openbao() -> Iterator[VaultServer]:
    """A dev server of OpenBao, or the Vault that the environment variables name."""
    with local_vault() as server:
        yield server


@pytest.fixture(scope="session")
def cloud_kms_emulator() -> Iterator[CloudKmsEmulator]:
    """The Cloud KMS emulator, empty. Needs the extra ``gcp``."""
    from cloud_kms_emulator import CloudKmsEmulator  # noqa: PLC0415  # an optional extra

    with CloudKmsEmulator() as emulator:
        yield emulator
