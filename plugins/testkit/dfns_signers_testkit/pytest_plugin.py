"""pytest fixtures, available wherever dfns-signers-testkit is installed.

Each starts its server once in a session, on a free port of 127.0.0.1 and with a folder of its own,
so that suites and workers of pytest-xdist can run at the same time.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from cloud_kms_emulator import CloudKmsEmulator
    from dfns_signers_testkit.aws import LocalKms
    from dfns_signers_testkit.vault import VaultServer

# Imported by the fixtures: every run of pytest loads this module.


@pytest.fixture(scope="session")
def localstack() -> Iterator[LocalKms]:
    """LocalStack with AWS KMS, empty."""
    from dfns_signers_testkit.aws import LOCALSTACK, LocalKms  # noqa: PLC0415

    with LocalKms(LOCALSTACK) as server:
        yield server


@pytest.fixture(scope="session")
def ministack() -> Iterator[LocalKms]:
    """MiniStack with AWS KMS, empty."""
    from dfns_signers_testkit.aws import MINISTACK, LocalKms  # noqa: PLC0415

    with LocalKms(MINISTACK) as server:
        yield server


@pytest.fixture(scope="session")
def openbao() -> Iterator[VaultServer]:
    """A dev server of OpenBao, or the Vault that the environment variables name."""
    from dfns_signers_testkit.vault import local_vault  # noqa: PLC0415

    with local_vault() as server:
        yield server


@pytest.fixture(scope="session")
def cloud_kms_emulator() -> Iterator[CloudKmsEmulator]:
    """The Cloud KMS emulator, empty. Needs the extra ``gcp``."""
    from cloud_kms_emulator import CloudKmsEmulator  # noqa: PLC0415  # an optional extra

    with CloudKmsEmulator() as emulator:
        yield emulator
