"""The version is part of the reference: the mistakes that other signers made, on a real server."""

from __future__ import annotations

import json
import logging
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from dfns_signers.errors import (
    FingerprintMismatchError,
    InvalidSignatureError,
    KeyNotFoundError,
    KeyStateError,
    SigningKeyError,
)
from dfns_signers.public_keys import fingerprint
from tests.core.client.scripted import Reply, ScriptedApi
from tests.core.keys import is_signature
from tests.plugins.vault_transit.conftest import OpenKey
from tests.plugins.vault_transit.fake_paths import FAKE_SIGN
from tests.plugins.vault_transit.operator import Operator

VERSIONS = 12


@pytest.fixture(scope="module")
def rotated(operator: Operator) -> str:
    """A key of so many versions that their order as texts is not their order."""
    return operator.key("ecdsa-p256", versions=VERSIONS)


def test_latest_of_twelve_versions_is_the_twelfth(
    rotated: str, operator: Operator, open_key: OpenKey
) -> None:
    key = open_key(rotated)

    assert key.version == VERSIONS
    assert is_signature(operator.public_key(rotated, VERSIONS), b"message", key.sign(b"message"))


@pytest.mark.parametrize("version", range(1, VERSIONS + 1))
def test_each_version_shows_its_own_public_key_and_signs_with_it(
    version: int, rotated: str, operator: Operator, open_key: OpenKey
) -> None:
    key = open_key(rotated, key_version=version)

    signature = key.sign_with_evidence(b"message")

    assert key.fingerprint == fingerprint(operator.public_key(rotated, version))
    assert is_signature(operator.public_key(rotated, version), b"message", signature.value)
    assert signature.evidence.key_version == str(version)


@pytest.mark.parametrize("batch", [None, {}], ids=["single", "batched"])
def test_asked_for_version_is_sent_with_each_request(
    batch: dict[str, int] | None, fake: ScriptedApi, open_fake: OpenKey
) -> None:
    fake.on(FAKE_SIGN, Reply(status=400))
    key = open_fake(key_version=1, batch=batch)

    with pytest.raises(SigningKeyError, match="HTTP 400"):
        key.sign(b"message")

    (sent,) = fake.sent(FAKE_SIGN)
    assert json.loads(sent.body)["key_version"] == 1


@pytest.mark.parametrize(("signed", "shown"), [(1, 1), (12, 12), (1, 2), (2, 1)])
def test_signature_of_another_version_is_refused(
    signed: int, shown: int, fake: ScriptedApi, open_fake: OpenKey
) -> None:
    answer = {"signature": f"vault:v{signed}:{'A' * 86}==", "key_version": shown}
    fake.on(FAKE_SIGN, Reply(body={"data": answer}))

    with pytest.raises(InvalidSignatureError, match=r"version 2 .* was asked to sign"):
        open_fake().sign(b"message")


def test_rotation_changes_nothing_for_a_key_that_is_open(
    operator: Operator, open_key: OpenKey
) -> None:
    name = operator.key()
    key = open_key(name)

    for _ in range(10):
        operator.rotate(name)

    assert is_signature(operator.public_key(name, 1), b"message", key.sign(b"message"))
    assert open_key(name).version == 11


@pytest.mark.parametrize("batch", [None, {}], ids=["single", "batched"])
def test_rotation_under_load_changes_no_signature(
    batch: dict[str, int] | None, operator: Operator, open_key: OpenKey
) -> None:
    name = operator.key()
    key = open_key(name, batch=batch)
    public = operator.public_key(name, 1)
    is_rotated = threading.Event()

    def sign_until_rotated() -> set[tuple[str | None, bool]]:
        seen = set()
        while True:
            is_last = is_rotated.is_set()
            signature = key.sign_with_evidence(b"message")
            is_valid = is_signature(public, b"message", signature.value)
            seen.add((signature.evidence.key_version, is_valid))
            if is_last:
                return seen

    with ThreadPoolExecutor(4) as threads:
        loads = [threads.submit(sign_until_rotated) for _ in range(4)]
        for _ in range(11):
            operator.rotate(name)
        is_rotated.set()

    assert [load.result() for load in loads] == [{("1", True)}] * 4


def test_open_without_version_warns_and_says_what_to_set(
    operator: Operator, open_key: OpenKey, caplog: pytest.LogCaptureFixture
) -> None:
    key = open_key(operator.key(versions=3))

    (warning,) = [r.getMessage() for r in caplog.records if r.levelno == logging.WARNING]
    assert "key_version = 3" in warning
    assert f'fingerprint = "{key.fingerprint}"' in warning


def test_open_with_version_or_fingerprint_does_not_warn(
    operator: Operator, open_key: OpenKey, caplog: pytest.LogCaptureFixture
) -> None:
    name = operator.key()
    key = open_key(name, key_version=1)
    open_key(name, fingerprint=key.fingerprint)

    assert [r for r in caplog.records if r.levelno == logging.WARNING] == []


def test_pinned_fingerprint_refuses_the_key_after_a_rotation(
    operator: Operator, open_key: OpenKey
) -> None:
    name = operator.key()
    pinned = open_key(name).fingerprint
    operator.rotate(name)

    with pytest.raises(FingerprintMismatchError, match="version 2"):
        open_key(name).require_fingerprint(pinned)


@pytest.mark.parametrize(
    ("minimum", "version", "error", "said"),
    [
        ({}, 12, KeyNotFoundError, "no version 12; its latest is 11"),
        ({"min_decryption_version": 9}, 2, KeyStateError, "archived.*available are 9, 10, 11"),
        ({"min_encryption_version": 3}, 2, KeyStateError, "min_encryption_version, 3"),
    ],
    ids=["unknown", "archived", "may not sign"],
)
def test_version_that_cannot_sign_is_refused_at_opening(
    minimum: dict[str, int],
    version: int,
    error: type[SigningKeyError],
    said: str,
    operator: Operator,
    open_key: OpenKey,
) -> None:
    name = operator.key(versions=11)
    operator.configure(name, **minimum)

    with pytest.raises(error, match=said):
        open_key(name, key_version=version)


@pytest.mark.parametrize("batch", [None, {}], ids=["single", "batched"])
def test_version_that_may_not_sign_any_more_is_an_error_that_is_not_retried(
    batch: dict[str, int] | None, operator: Operator, open_key: OpenKey
) -> None:
    name = operator.key(versions=2)
    key = open_key(name, key_version=1, batch=batch, max_attempts=3)
    operator.configure(name, min_encryption_version=2)

    with pytest.raises(KeyStateError, match="lower that minimum"):
        key.sign(b"message")
