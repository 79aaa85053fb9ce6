"""``demo``: the main job, on local servers only."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.core.cli.support import Command, Outcome
from tests.core.config.support import write_client_config, write_config, write_key
from tests.core.keys import private_key, private_pem

HOSTILE = {
    "DFNS_CONFIG": "/nonexistent/config.toml",
    "DFNS_PROFILE": "nonsense",
    "DFNS_SIGNER": "nonsense",
    "DFNS_CREDENTIAL_ID": "nonsense",
    "DFNS_BASE_URL": "http://127.0.0.1:1",
    "DFNS_AUTH_TOKEN": "",
    "HTTP_PROXY": "http://127.0.0.1:1",
    "ALL_PROXY": "http://127.0.0.1:1",
}


def assert_shown(row: dict[str, Any], algorithm: str) -> None:
    """The key was enrolled, and each kind of client made a wallet of its own with it."""
    wallets = {row["sync"], row["async"], row["delegated"]}
    assert (row["algorithm"], row["backend"], row["error"]) == (algorithm, "pem", "")
    assert row["enrolled as"]
    assert len(wallets) == 3
    assert all(wallet.startswith("wa-") for wallet in wallets)


def assert_all_shown(done: Outcome) -> None:
    assert done.code == 0
    assert len(done.json) == 4
    for row, algorithm in zip(done.json, ["Ed25519", "ES256", "ES256K", "RS256"], strict=True):
        assert_shown(row, algorithm)


def test_four_algorithms_sign_in_three_modes(command: Command) -> None:
    done = command("demo", "--json")

    assert_all_shown(done)
    assert "every call below goes there" in done.err


def test_table_shows_the_algorithms_and_modes(command: Command) -> None:
    done = command("demo")

    assert done.code == 0
    for part in ("Ed25519", "ES256", "ES256K", "RS256", "sync", "async", "delegated"):
        assert part in done.out


def test_environment_that_means_something_else_changes_nothing(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in HOSTILE.items():
        monkeypatch.setenv(name, value)

    assert_all_shown(command("demo", "--json"))

    assert HOSTILE.items() <= os.environ.items()


def test_key_of_a_profile_takes_part_and_its_address_is_not_called(
    command: Command, folder: Path
) -> None:
    write_key(folder, algorithm="ES256")
    config = write_client_config(folder, "http://127.0.0.1:1", "unused")

    done = command("demo", "--json", "--config", config, "--profile", "p")

    assert done.code == 0
    assert len(done.json) == 5
    assert done.json[0]["key"] == "p"
    assert_shown(done.json[0], "ES256")


def test_profile_with_a_signer_alone_is_enough(command: Command, folder: Path) -> None:
    write_key(folder)
    config = write_config(
        folder, "default_profile = 'p'\n[profiles.p]\nsigner = 'pem:?path=key.pem'"
    )

    done = command("demo", "--json", "--config", config)

    assert done.code == 0
    assert_shown(done.json[0], "Ed25519")


def test_profile_whose_key_cannot_be_opened_ends_with_1_and_the_others_are_shown(
    command: Command, folder: Path
) -> None:
    config = write_client_config(folder, "https://api.dfns.io", "unused")

    done = command("demo", "--json", "--config", config, "--profile", "p")

    assert done.code == 1
    assert "does not exist" in done.json[0]["error"]
    assert f"p: {done.json[0]['error']}" in done.err
    assert [row["error"] for row in done.json[1:]] == [""] * 4


def test_profile_that_does_not_exist_ends_with_3(command: Command, folder: Path) -> None:
    config = write_client_config(folder, "https://api.dfns.io", "unused")

    done = command("demo", "--config", config, "--profile", "q")

    assert (done.code, done.out) == (3, "")
    assert "no profile 'q'" in done.err


STARTER = """
from contextlib import contextmanager

running = []

class Key:
    name = "Toy"
    signer = {"backend": "pem", "env": "TOY_KEY"}
    environment = {"TOY_KEY": KEY}

@contextmanager
def start():
    running.append("server")
    yield [Key]
    running.clear()
"""


@pytest.fixture
def toy_servers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A distribution that starts servers for ``--with toy``, and one for ``--with broken``."""
    pem = private_pem(private_key("ES256")).decode()
    (tmp_path / "acme_toy.py").write_text(STARTER.replace("KEY}", f"{pem!r}}}"), encoding="utf-8")
    metadata = tmp_path / "acme_toy-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-toy\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text(
        "[dfns_signers.local_signers]\ntoy = acme_toy:start\nbroken = acme_absent:start\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    yield
    sys.modules.pop("acme_toy", None)


@pytest.mark.usefixtures("toy_servers")
def test_keys_of_local_servers_take_part_and_the_servers_end(command: Command) -> None:
    done = command("demo", "--json", "--with", "toy")

    assert done.code == 0
    assert done.json[4]["key"] == "Toy"
    assert_shown(done.json[4], "ES256")
    assert sys.modules["acme_toy"].running == []


@pytest.mark.usefixtures("toy_servers")
def test_unknown_local_servers_end_with_3_and_the_name_that_was_probably_meant(
    command: Command,
) -> None:
    done = command("demo", "--with", "toi")

    assert (done.code, done.out) == (3, "")
    assert "no local servers for 'toi' (did you mean 'toy'?)" in done.err
    assert "toy" in done.err.partition("Known: ")[2]


@pytest.mark.usefixtures("toy_servers")
def test_local_servers_that_cannot_be_imported_end_with_3_and_what_to_install(
    command: Command,
) -> None:
    done = command("demo", "--with", "broken")

    assert done.code == 3
    assert "No module named 'acme_absent'" in done.err
    assert 'pip install "dfns-signers-testkit[all]"' in done.err


def test_local_servers_without_the_testkit_end_with_3_and_what_to_install(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dfns_signers.cli.demo_signers.entry_points", lambda **_: ())

    done = command("demo", "--with", "aws-kms")

    assert (done.code, done.out) == (3, "")
    assert 'pip install "dfns-signers-testkit[all]"' in done.err
