"""The ``aws-kms`` backend keeps the contract of backends, on each of the real servers."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Any, ClassVar

import pytest

from dfns_signers_testkit.aws import ENVIRONMENT, REGION
from dfns_signers_testkit.aws_keys import local_client, seed
from dfns_signers_testkit.contract import BackendContract, StoreUnderTest

SECRET = "canary-of-the-contract"
PAGE = Path(__file__).parents[3] / "docs" / "aws-kms.md"


class TestLocalStack(BackendContract):
    backend = "aws-kms"
    algorithms = ("ES256", "ES256K", "RS256")
    options_page = PAGE
    not_offered: ClassVar = {"Ed25519": "LocalStack has no such keys"}

    @pytest.fixture(scope="class")
    @classmethod
    def store(cls, localstack: Any, no_credentials: Path) -> StoreUnderTest:
        return store_at(localstack.url, no_credentials)


class TestMiniStack(BackendContract):
    backend = "aws-kms"
    algorithms = ("Ed25519", "ES256", "ES256K", "RS256")
    options_page = PAGE
    message_limits: ClassVar = {"Ed25519": 4096}

    @pytest.fixture(scope="class")
    @classmethod
    def store(cls, ministack: Any, no_credentials: Path) -> StoreUnderTest:
        return store_at(ministack.url, no_credentials)


@pytest.fixture(scope="module")
def no_credentials(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An AWS configuration file whose profile ``nobody`` has no credentials."""
    file = tmp_path_factory.mktemp("aws") / "config"
    file.write_text("[profile nobody]\n", encoding="utf-8")
    return file


def store_at(url: str, config: Path) -> StoreUnderTest:
    connection = {"region": REGION, "endpoint_url": url}
    return StoreUnderTest(
        signers={
            str(algorithm): {**connection, "key_id": alias}
            for algorithm, alias in seed(local_client(url)).items()
        },
        environment={
            **ENVIRONMENT,
            "AWS_SECRET_ACCESS_KEY": SECRET,
            "AWS_CONFIG_FILE": str(config),
            "AWS_EC2_METADATA_DISABLED": "true",
        },
        secrets=[SECRET],
        missing_key={**connection, "key_id": "alias/missing"},
        unreachable={
            "key_id": "alias/any",
            "region": REGION,
            "endpoint_url": "http://127.0.0.1:9",
            "max_attempts": 1,
        },
        denied={**connection, "key_id": "alias/any", "profile": "nobody"},
        create=lambda _: {**connection, "alias": f"alias/contract-{secrets.token_hex(4)}"},
        list_keys=connection,
    )
