"""``doctor`` examines profiles of real servers."""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypeAlias

import pytest

from dfns_signers.emulator import Emulator
from tests.core.cli.support import Command
from tests.plugins.aws_kms.stores import Store
from tests.plugins.doctor import NOBODY_LISTENS, Fault, assert_in_order, assert_named
from tests.plugins.flow import Flow

OwnKey: TypeAlias = tuple[Any, str]
"""A client of the server, and the ARN of the key."""


@pytest.fixture
def arn(store: Store) -> str:
    return store.create("ECC_NIST_P256")


@pytest.fixture
def flow(store: Store, arn: str, dfns_emulator: Emulator, tmp_path: Path) -> Flow:
    signer = store.server.signer(store.alias(arn))
    return Flow.of(dfns_emulator, tmp_path, {**signer, "max_attempts": 1})


def disable(key: OwnKey) -> None:
    client, arn = key
    client.disable_key(KeyId=arn)


def schedule_deletion(key: OwnKey) -> None:
    client, arn = key
    client.schedule_key_deletion(KeyId=arn, PendingWindowInDays=7)


FAULTS = [
    Fault("disabled", "key state", "Disabled", "aws kms enable-key", disable),
    Fault(
        "to be deleted",
        "key state",
        "PendingDeletion",
        "aws kms cancel-key-deletion",
        schedule_deletion,
    ),
    Fault(
        "gone",
        "key state",
        "alias/gone: NotFoundException",
        "check key id or alias, account and region",
        signer={"key_id": "alias/gone"},
    ),
    Fault(
        "wrong place",
        "key state",
        "NotFoundException",
        "check key id or alias, account and region",
        signer={"region": "us-east-2"},
    ),
    Fault(
        "unreachable",
        "key store",
        "127.0.0.1",
        "check network, proxy, 'region' and 'endpoint_url'",
        signer={"endpoint_url": NOBODY_LISTENS},
    ),
]


def test_profile_in_order(command: Command, flow: Flow) -> None:
    assert_in_order(command, flow, "IAM policy")


@pytest.mark.parametrize("fault", FAULTS, ids=str)
def test_fault_is_named_with_its_remedy(
    command: Command, flow: Flow, store: Store, arn: str, fault: Fault
) -> None:
    assert_named(command, flow, fault, (store.client, arn))
