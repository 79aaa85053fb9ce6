"""``keys create`` and ``keys show`` print a complete profile, and write it on request."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from dfns_signers import load_signer
from tests.core.cli.support import Command
from tests.core.config.support import write_config, write_key
from tests.secrecy import CANARY

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

PROFILE = """
    # Of the laptop.
    [profiles.laptop]
    base_url = "http://127.0.0.1:8000"
    auth_token = { file = "token" }
    credential_id = "cr-1"
    timeout = 5.0

    [profiles.laptop.signer]
    backend = "pem"
    path = "key.pem"
    passphrase = { env = "KEY_PASSPHRASE" }
"""


@pytest.fixture(autouse=True)
def _passphrase(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEY_PASSPHRASE", CANARY)


@pytest.fixture
def pem(folder: Path, command: Command) -> Path:
    """A configuration file, and the encrypted key of its profile ``laptop``."""
    config = write_config(folder, PROFILE)
    options = ("-o", f"path={folder / 'key.pem'}", "-o", "passphrase.env=KEY_PASSPHRASE")
    assert command("keys", "create", "Ed25519", "--backend", "pem", *options).code == 0
    return config


def pasted(config: Path, text: str, profile: str) -> str:
    """Algorithm of the signer that the printed profile opens, in a file of its own elsewhere."""
    file = write_config(config.parent / "elsewhere", text)
    with load_signer(profile, config=file, credential_id="c") as signer:
        return signer.key.algorithm


def test_created_key_is_opened_by_the_profile_as_it_was_printed(
    command: Command, pem: Path
) -> None:
    path = pem.parent / "new.pem"
    profile = ("--config", pem, "--profile", "laptop")

    done = command("keys", "create", "ES256", *profile, "-o", f"path={path}")

    assert tomllib.loads(done.out) == {
        "profiles": {
            "laptop": {
                "base_url": "http://127.0.0.1:8000",
                "auth_token": {"file": str(pem.parent / "token")},
                "timeout": 5.0,
                "signer": {
                    "backend": "pem",
                    "path": str(path),
                    "passphrase": {"env": "KEY_PASSPHRASE"},
                },
            }
        }
    }
    assert pasted(pem, done.out, "laptop") == "ES256"


def test_shown_key_has_its_credential_and_its_public_key(command: Command, pem: Path) -> None:
    shown = command("keys", "show", "--config", pem, "--profile", "laptop")
    public_key = command("public-key", "--config", pem, "--profile", "laptop", "--json").json

    assert tomllib.loads(shown.out)["profiles"]["laptop"]["credential_id"] == "cr-1"
    assert pasted(pem, shown.out, "laptop") == "Ed25519"
    for said in (public_key["key"], public_key["fingerprint"], "Ed25519", public_key["publicKey"]):
        assert said in shown.err


def test_shown_key_is_json_for_programs(command: Command, pem: Path) -> None:
    done = command("keys", "show", "--config", pem, "--profile", "laptop", "--json")
    public_key = command("public-key", "--config", pem, "--profile", "laptop", "--json").json

    assert (done.code, done.err) == (0, "")
    assert done.json == {
        "reference": public_key["key"],
        "algorithm": "Ed25519",
        "kind": "Ed25519 key",
        "state": "",
        "names": [],
        "signer": {
            "backend": "pem",
            "path": str(pem.parent / "key.pem"),
            "passphrase": {"env": "KEY_PASSPHRASE"},
        },
        "profile": "laptop",
        "public_key": public_key["publicKey"],
        "fingerprint": public_key["fingerprint"],
    }


def test_key_of_a_backend_is_shown_without_a_profile(command: Command, folder: Path) -> None:
    key = write_key(folder, "dfns.prod.pem", "ES256K")

    done = command("keys", "show", "--backend", "pem", "-o", f"path={key}", "-o", "verify=true")

    assert tomllib.loads(done.out) == {
        "profiles": {
            "pem-dfns-prod-pem": {"signer": {"backend": "pem", "path": str(key), "verify": True}}
        }
    }


def test_secret_that_is_a_literal_is_not_printed_and_is_written(
    command: Command, pem: Path
) -> None:
    pem.write_text(
        pem.read_text("utf-8").replace('{ env = "KEY_PASSPHRASE" }', f'"{CANARY}"'), "utf-8"
    )

    done = command(
        "keys", "show", "--config", pem, "--profile", "laptop", "--name", "copy", "--write"
    )

    assert CANARY not in done.out + done.err
    assert "not shown: signer.passphrase" in done.err
    with load_signer("copy", config=pem) as signer:
        assert signer.key.algorithm == "Ed25519"


def test_profile_is_written_where_nothing_was(command: Command, folder: Path) -> None:
    config = folder / "new" / "config.toml"
    where = ("--config", config, "--name", "laptop")

    done = command(
        "keys", "create", "ES256", "--backend", "pem", "-o", f"path={folder / 'k.pem'}", *where,
        "--write",
    )  # fmt: skip

    assert done.code == 0
    assert f"wrote the profile 'laptop' into {config}" in done.err
    assert config.read_text("utf-8") == done.out


def test_written_profile_leaves_the_rest_of_the_file(command: Command, pem: Path) -> None:
    before = pem.read_text("utf-8")
    options = ("-o", f"path={pem.parent / 'new.pem'}")

    done = command(
        "keys", "create", "ES256", "--config", pem, "--profile", "laptop", *options, "--name",
        "next", "--write",
    )  # fmt: skip

    assert done.code == 0
    assert pem.read_text("utf-8") == f"{before}\n{done.out}"


def test_no_key_is_made_for_a_profile_that_has_another_one(command: Command, pem: Path) -> None:
    before, path = pem.read_text("utf-8"), pem.parent / "new.pem"

    done = command(
        "keys", "create", "ES256", "--config", pem, "--profile", "laptop", "-o", f"path={path}",
        "--write",
    )  # fmt: skip

    assert done.code == 3
    assert "the profile 'laptop' has another key" in done.err
    assert "--force" in done.err
    assert (path.exists(), pem.read_text("utf-8")) == (False, before)


def test_forced_key_replaces_that_of_the_profile_and_its_credential(
    command: Command, pem: Path
) -> None:
    path = pem.parent / "new.pem"

    done = command(
        "keys", "create", "ES256", "--config", pem, "--profile", "laptop", "-o", f"path={path}",
        "--write", "--force",
    )  # fmt: skip

    profile = tomllib.loads(pem.read_text("utf-8"))["profiles"]["laptop"]
    assert done.code == 0
    assert profile["signer"]["path"] == str(path)
    assert "credential_id" not in profile
    assert "# Of the laptop." in pem.read_text("utf-8")


def test_shown_key_is_not_written_over_another_one(command: Command, pem: Path) -> None:
    key, before = write_key(pem.parent, "other.pem"), pem.read_text("utf-8")
    where = ("--config", pem, "--name", "laptop", "--write")

    done = command("keys", "show", "--backend", "pem", "-o", f"path={key}", *where)

    assert done.code == 3
    assert "the profile 'laptop' has another key" in done.err
    assert pem.read_text("utf-8") == before


def test_key_of_the_profile_is_written_again_with_its_credential(
    command: Command, pem: Path
) -> None:
    done = command("keys", "show", "--config", pem, "--profile", "laptop", "--write")

    assert done.code == 0
    profile = tomllib.loads(pem.read_text("utf-8"))["profiles"]["laptop"]
    assert profile["credential_id"] == "cr-1"
    assert profile["signer"]["path"] == str(pem.parent / "key.pem")


def test_path_of_an_option_starts_at_the_working_directory(
    command: Command, pem: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (pem.parent / "here").mkdir()
    monkeypatch.chdir(pem.parent / "here")

    done = command(
        "keys", "create", "ES256", "--config", pem, "--profile", "laptop", "-o", "path=k"
    )

    assert done.code == 0
    assert (pem.parent / "here" / "k").exists()


def test_profile_without_a_signer_gets_one(command: Command, folder: Path) -> None:
    config = write_config(folder, '[profiles.p]\nbase_url = "http://127.0.0.1:1"\n')
    where = ("--config", config, "--profile", "p", "--write")

    done = command(
        "keys", "create", "ES256", "--backend", "pem", "-o", f"path={folder / 'k.pem'}", *where
    )

    assert done.code == 0
    assert tomllib.loads(config.read_text("utf-8"))["profiles"]["p"] == {
        "base_url": "http://127.0.0.1:1",
        "signer": {"backend": "pem", "path": str(folder / "k.pem")},
    }
