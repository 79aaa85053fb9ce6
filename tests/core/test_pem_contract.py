"""The built-in ``pem`` backend keeps the contract of backends."""

from __future__ import annotations

from pathlib import Path
from secrets import token_hex
from typing import ClassVar

import pytest

from dfns_signers_testkit.contract import BackendContract, StoreUnderTest
from tests.core.keys import ALGORITHMS, private_key, private_pem
from tests.support.pages import DOCS

PASSPHRASE = "canary-of-the-contract"


class TestPem(BackendContract):
    backend = "pem"
    algorithms = ALGORITHMS
    options_page = DOCS / "configuration.md"
    not_offered: ClassVar = {
        "unreachable": "a file and a variable are always there, or missing",
        "denied": "a file that cannot be read is like one that is damaged",
        "verified": "the private key is in the memory of this process",
    }

    @pytest.fixture(scope="class")
    @classmethod
    def store(cls, tmp_path_factory: pytest.TempPathFactory) -> StoreUnderTest:
        folder = tmp_path_factory.mktemp("keys")
        return StoreUnderTest(
            signers={
                name: {"path": str(_key_file(folder, name)), "passphrase": PASSPHRASE}
                for name in ALGORITHMS
            },
            environment={"CONTRACT_PASSPHRASE": PASSPHRASE},
            secrets=[PASSPHRASE],
            missing_key={"path": str(folder / "missing.pem")},
            create=lambda _: {
                "path": str(folder / f"created-{token_hex(4)}.pem"),
                "passphrase": {"env": "CONTRACT_PASSPHRASE"},
            },
            list_keys={"folder": str(folder), "passphrase": {"env": "CONTRACT_PASSPHRASE"}},
        )


def _key_file(folder: Path, algorithm: str) -> Path:
    path = folder / f"{algorithm}.pem"
    path.write_bytes(private_pem(private_key(algorithm), PASSPHRASE.encode()))
    path.chmod(0o600)
    return path
