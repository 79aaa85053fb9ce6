"""The life of a key on real servers, from ``setup`` to the key that follows it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from dfns_signers.algorithms import Algorithm
from dfns_signers.emulator import Emulator
from dfns_signers_testkit.aws import REGION
from tests.core.cli.support import Command
from tests.core.client.scripted import Seen
from tests.plugins.aws_kms.stores import Store
from tests.plugins.life import ONE_LIFE, KeyStore, Life
from tests.plugins.lifecycle import (
    assert_lives,
    assert_rotation_goes_on,
    assert_setup_goes_on,
    assert_survives_kills,
)
from tests.support.relay import Relay


def key_store(store: Store, folder: Path, url: str = "") -> KeyStore:
    where = {"region": REGION, "endpoint_url": url or store.url}
    return KeyStore(
        "aws-kms",
        lambda profile: {**where, "alias": f"alias/{folder.name}/{profile}"},
        store.keys,
    )


@pytest.fixture
def on_localstack(
    command: Command, dfns_emulator: Emulator, tmp_path: Path, localstack: Store
) -> Life:
    return Life(command, dfns_emulator, tmp_path, key_store(localstack, tmp_path))


@pytest.fixture
def on_ministack(
    command: Command, dfns_emulator: Emulator, tmp_path: Path, ministack: Store
) -> Life:
    return Life(command, dfns_emulator, tmp_path, key_store(ministack, tmp_path))


@pytest.mark.parametrize("algorithm", ["ES256", "ES256K", "RS256"])
def test_key_of_each_algorithm_but_ed25519_lives_on_localstack(
    on_localstack: Life, algorithm: str
) -> None:
    assert_lives(on_localstack, algorithm)


@pytest.mark.parametrize("algorithm", Algorithm)
def test_key_of_each_algorithm_lives_on_ministack(on_ministack: Life, algorithm: str) -> None:
    assert_lives(on_ministack, algorithm)


def test_key_that_the_profile_names_by_its_alias_is_followed_by_another(
    on_localstack: Life, tmp_path: Path
) -> None:
    on_localstack.run(on_localstack.setup("ES256"))
    on_localstack.configure(key_id=f"alias/{tmp_path.name}/new", region=REGION)
    on_localstack.sign()

    on_localstack.run(on_localstack.rotate)

    on_localstack.sign()
    assert on_localstack.census() == replace(ONE_LIFE, accounts=0, tokens=0)


def test_setup_goes_on(on_ministack: Life, monkeypatch: pytest.MonkeyPatch) -> None:
    assert_setup_goes_on(on_ministack, "ES256", monkeypatch)


def test_rotation_goes_on(on_ministack: Life) -> None:
    assert_rotation_goes_on(on_ministack, "ES256")


def operation(seen: Seen) -> str:
    return seen.headers["x-amz-target"].partition(".")[2]


def test_killed_processes_leave_nothing_that_is_made_twice(
    command: Command, dfns_emulator: Emulator, tmp_path: Path, localstack: Store
) -> None:
    with Relay(dfns_emulator.url) as dfns, Relay(localstack.url, operation) as kms:
        keys = key_store(localstack, tmp_path, kms.url)
        life = Life(command, dfns_emulator, tmp_path, keys, dfns.url)

        assert_survives_kills(
            life,
            "ES256",
            dfns.killing,
            kms.killing,
            created="CreateKey",
            followed="CreateKey",
        )
