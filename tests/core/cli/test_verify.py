"""``verify``: an assertion on standard input; the exit code tells."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from tests.core.cli.support import Command
from tests.core.keys import public_der, public_key, public_pem, stranger

CHALLENGE = {"challenge": "Y2gt"}
FINGERPRINT = "sha256:" + hashlib.sha256(public_der(public_key("Ed25519"))).hexdigest()


@pytest.fixture
def assertion(command: Command, client_config: Path) -> str:
    return command("sign", "--config", client_config, stdin=json.dumps(CHALLENGE)).out


@pytest.fixture
def public_key_file(folder: Path) -> Path:
    path = folder / "key.pub"
    path.write_bytes(public_pem(public_key("Ed25519")))
    return path


def challenge_file(folder: Path, challenge: Any) -> Path:
    path = folder / "challenge.json"
    path.write_text(json.dumps(challenge), encoding="utf-8")
    return path


def test_valid_assertion_ends_with_0_naming_the_key(
    command: Command, public_key_file: Path, assertion: str
) -> None:
    done = command("verify", "--public-key", public_key_file, stdin=assertion)

    assert done.code == 0
    assert done.err == f"valid: Ed25519 by {FINGERPRINT}\n"


def test_assertion_is_verified_with_the_key_of_the_profile(
    command: Command, client_config: Path, assertion: str
) -> None:
    done = command("verify", "--config", client_config, "--profile", "p", stdin=assertion)

    assert done.code == 0


def test_assertion_by_another_key_ends_with_1(
    command: Command, folder: Path, assertion: str
) -> None:
    path = folder / "other.pub"
    path.write_bytes(public_pem(stranger("Ed25519").public_key()))

    done = command("verify", "--public-key", path, stdin=assertion)

    assert done.code == 1
    assert done.err.startswith("not valid: the signature is not by this key")


def test_answer_to_the_challenge_ends_with_0(
    command: Command, folder: Path, public_key_file: Path, assertion: str
) -> None:
    path = challenge_file(folder, CHALLENGE)

    done = command("verify", "--public-key", public_key_file, "--challenge", path, stdin=assertion)

    assert done.code == 0


def test_answer_to_another_challenge_ends_with_1(
    command: Command, folder: Path, public_key_file: Path, assertion: str
) -> None:
    path = challenge_file(folder, {"challenge": "b3RoZXI"})

    done = command("verify", "--public-key", public_key_file, "--challenge", path, stdin=assertion)

    assert done.code == 1
    assert "answers another challenge" in done.err


@pytest.mark.parametrize("is_valid", [True, False])
def test_json_tells_the_same_to_programs(
    command: Command, public_key_file: Path, assertion: str, is_valid: bool
) -> None:
    stdin = assertion if is_valid else assertion.replace('"kind": "Key"', '"kind": "Fido2"')

    done = command("verify", "--public-key", public_key_file, "--json", stdin=stdin)

    assert done.code == (0 if is_valid else 1)
    assert done.json == {
        "valid": is_valid,
        "problem": None if is_valid else "the assertion is not of the kind 'Key'",
        "algorithm": "Ed25519",
        "fingerprint": FINGERPRINT,
        "publicKey": public_pem(public_key("Ed25519")).decode("ascii"),
    }


@pytest.mark.parametrize("stdin", ["[]", "{}", "null", '{"kind": "Key"}'])
def test_json_that_is_no_assertion_is_not_valid(
    command: Command, public_key_file: Path, stdin: str
) -> None:
    done = command("verify", "--public-key", public_key_file, stdin=stdin)

    assert done.code == 1
    assert "not valid: expected an assertion with the members kind" in done.err


@pytest.mark.parametrize(
    ("content", "code", "reason"),
    [
        (None, 2, "the public key cannot be read from"),
        (b"", 4, "not a public key"),
        (b"-----BEGIN PUBLIC KEY-----", 4, "not a public key"),
        (b"\xff", 2, "is not UTF-8 text"),
    ],
)
def test_file_that_is_no_public_key_refused(
    command: Command, folder: Path, assertion: str, content: bytes | None, code: int, reason: str
) -> None:
    path = folder / "no.pub"
    if content is not None:
        path.write_bytes(content)

    done = command("verify", "--public-key", path, stdin=assertion)

    assert done.code == code
    assert reason in done.err


@pytest.mark.parametrize(
    ("content", "code", "reason"),
    [("challenge", 2, "is not valid JSON"), ("[]", 5, "expected a challenge object")],
)
def test_file_that_is_no_challenge_refused(
    command: Command, folder: Path, public_key_file: Path, assertion: str,
    content: str, code: int, reason: str,
) -> None:  # fmt: skip
    path = folder / "challenge.json"
    path.write_text(content, encoding="utf-8")

    done = command("verify", "--public-key", public_key_file, "--challenge", path, stdin=assertion)

    assert done.code == code
    assert reason in done.err
