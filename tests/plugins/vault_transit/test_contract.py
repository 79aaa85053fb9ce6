"""The ``vault-transit`` backend keeps the contract of backends, on OpenBao."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Any, ClassVar

import hvac  # type: ignore[import-untyped]
import pytest

from dfns_signers_testkit.contract import BackendContract, StoreUnderTest
from dfns_signers_testkit.vault import VaultServer

KEY_TYPES = {"Ed25519": "ed25519", "ES256": "ecdsa-p256", "RS256": "rsa-2048"}
WRONG_TOKEN = "canary-of-the-contract"


class OpenBaoContract(BackendContract):
    backend = "vault-transit"
    algorithms = tuple(KEY_TYPES)
    options_page = Path(__file__).parents[3] / "docs" / "vault-transit.md"
    not_offered: ClassVar = {"ES256K": "Transit has no keys on secp256k1"}


class TestOpenBao(OpenBaoContract):
    @pytest.fixture(scope="class")
    @classmethod
    def store(cls, openbao: VaultServer) -> StoreUnderTest:
        return store_at(openbao)


class TestWithoutBatches(OpenBaoContract):
    @pytest.fixture(scope="class")
    @classmethod
    def store(cls, openbao: VaultServer) -> StoreUnderTest:
        return store_at(openbao, batch=False)


def store_at(server: VaultServer, **options: Any) -> StoreUnderTest:
    client = hvac.Client(url=server.address, token=server.token)
    mount = f"dfns-contract-{secrets.token_hex(4)}"
    client.sys.enable_secrets_engine("transit", path=mount)
    for name in KEY_TYPES.values():
        client.secrets.transit.create_key(name, key_type=name, mount_point=mount)
    connection = {"address": server.address, "mount": mount}
    return StoreUnderTest(
        signers={
            algorithm: {**connection, "key": name, **options}
            for algorithm, name in KEY_TYPES.items()
        },
        environment={"VAULT_TOKEN": server.token},
        secrets=[server.token, WRONG_TOKEN],
        missing_key={**connection, "key": "missing"},
        unreachable={"address": "http://127.0.0.1:9", "key": "any", "max_attempts": 1},
        denied={**connection, "key": "ed25519", "auth": {"method": "token", "token": WRONG_TOKEN}},
        create=lambda _: {**connection, "key": f"created-{secrets.token_hex(4)}"},
        list_keys=connection,
    )
