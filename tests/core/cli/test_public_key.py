"""``public-key``: what Dfns registers."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from tests.core.cli.support import Command
from tests.core.config.support import write_config, write_key
from tests.core.keys import ALGORITHMS, public_der, public_key, public_pem

PROFILE = "default_profile = 'p'\n[profiles.p]\nsigner = 'pem:?path=key.pem'"


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_public_key_is_printed_in_pem(command: Command, folder: Path, algorithm: str) -> None:
    write_key(folder, algorithm=algorithm)

    done = command("public-key", "--config", write_config(folder, PROFILE))

    assert (done.code, done.err) == (0, "")
    printed = load_pem_public_key(done.out.encode("ascii"))
    assert public_der(printed) == public_der(public_key(algorithm))


def test_json_has_algorithm_fingerprint_and_the_key_as_resolved(
    command: Command, folder: Path, key_file: Path
) -> None:
    done = command("public-key", "--config", write_config(folder, PROFILE), "--json")

    assert done.code == 0
    assert done.json == {
        "key": f"file {key_file}",
        "algorithm": "Ed25519",
        "fingerprint": "sha256:" + hashlib.sha256(public_der(public_key("Ed25519"))).hexdigest(),
        "publicKey": public_pem(public_key("Ed25519")).decode("ascii"),
    }


def test_fingerprint_that_is_printed_pins_the_key(
    command: Command, folder: Path, key_file: Path
) -> None:
    printed = command("public-key", "--config", write_config(folder, PROFILE), "--json").json
    pinned = PROFILE.replace("key.pem", f"key.pem&fingerprint={printed['fingerprint']}")

    assert command("public-key", "--config", write_config(folder, pinned)).code == 0


def test_missing_key_file_ends_with_4(command: Command, folder: Path) -> None:
    done = command("public-key", "--config", write_config(folder, PROFILE))

    assert (done.code, done.out) == (4, "")
    assert done.err == f"error: the key file {folder / 'key.pem'} does not exist; check the path\n"


def test_encrypted_key_without_a_passphrase_ends_with_4_and_says_what_to_set(
    command: Command, folder: Path, key_file: Path
) -> None:
    key_file.write_text(
        "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n",
        encoding="ascii",
    )

    done = command("public-key", "--config", write_config(folder, PROFILE))

    assert done.code == 4
    assert 'passphrase = { env = "NAME" }' in done.err
