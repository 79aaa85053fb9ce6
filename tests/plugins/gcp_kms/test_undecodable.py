"""Answers that are no messages."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from cloud_kms_emulator import CloudKmsEmulator
from dfns_signers_gcp_kms.errors import DamagedAnswerError
from dfns_signers_gcp_kms.key import GcpKmsKey
from tests.plugins.gcp_kms.conftest import QUICK
from tests.plugins.gcp_kms.keys import verify


def damage_answers(
    emulator: CloudKmsEmulator, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    """Cut the end off a number of answers of AsymmetricSign."""
    left = [number]
    operations: Any = emulator._dispatcher._operations
    operation = operations["AsymmetricSign"]

    def serialize(message: Any) -> bytes:
        whole = bytes(operation.response.serialize(message))
        left[0] -= 1
        return whole[:-3] if left[0] >= 0 else whole

    cut = SimpleNamespace(serialize=serialize, pb=operation.response.pb)
    monkeypatch.setitem(operations, "AsymmetricSign", replace(operation, response=cut))


def sign(key: GcpKmsKey, driver: str) -> bytes:
    return key.sign(b"m") if driver == "sync" else asyncio.run(key.asign(b"m"))


@pytest.mark.parametrize("driver", ["sync", "async"])
def test_answer_that_does_not_decode_is_asked_for_again(
    driver: str, cloud_kms: CloudKmsEmulator, key: GcpKmsKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    damage_answers(cloud_kms, monkeypatch, 1)

    verify("EC_SIGN_ED25519", key.public_key, sign(key, driver), b"m")


@pytest.mark.parametrize("driver", ["sync", "async"])
def test_answers_that_never_decode_are_reported_as_damaged(
    driver: str, cloud_kms: CloudKmsEmulator, key: GcpKmsKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    damage_answers(cloud_kms, monkeypatch, QUICK.max_attempts)

    with pytest.raises(DamagedAnswerError, match=f"{key.reference} or its answer was damaged"):
        sign(key, driver)
