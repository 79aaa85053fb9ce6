"""``register credential``: the key of a profile becomes one more credential of an identity."""

from __future__ import annotations

from pathlib import Path

import pytest
import tomlkit
from cryptography.hazmat.primitives.asymmetric import ed448

from dfns_signers.emulator import Emulator
from tests.core.cli.registering import config, creations, profile, signs
from tests.core.cli.support import Command
from tests.core.keys import private_pem, public_key, public_pem

__all__ = ["config"]


def test_credential_is_registered_and_its_profile_printed(
    command: Command, config: Path, emulator: Emulator
) -> None:
    done = command("register", "credential", "--config", config, "--profile", "next", "--by", "p")

    assert done.code == 0
    assert "registered a credential ('next'), credential id" in done.err
    settings = tomlkit.parse(done.out).unwrap()["profiles"]["next"]
    assert settings.keys() == {"credential_id"}
    assert settings["credential_id"] in done.err
    assert creations(emulator, "/auth/credentials") == 1


def test_credential_that_is_written_makes_the_profile_complete(
    command: Command, config: Path
) -> None:
    before = config.read_text(encoding="utf-8")

    done = command(
        "register", "credential", "--config", config, "--profile", "next", "--by", "p", "--write"
    )

    assert (done.code, done.out) == (0, "")
    assert signs(command, config)
    assert profile(config)["auth_token"] == profile(config, "p")["auth_token"]
    assert config.read_text(encoding="utf-8").startswith(before.rstrip())


def test_settings_of_the_profile_itself_are_kept(
    command: Command,
    folder: Path,
    config: Path,
    emulator: Emulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    text = config.read_text(encoding="utf-8")
    own = f'auth_token = {{ env = "MINE" }}\nbase_url = "{emulator.url}/"\n'
    config.write_text(text.replace("[profiles.next]\n", f"[profiles.next]\n{own}"), "utf-8")
    monkeypatch.setenv("MINE", emulator.auth_token)

    command(
        "register", "credential", "--config", config, "--profile", "next", "--by", "p", "--write"
    )

    assert profile(config)["auth_token"] == {"env": "MINE"}
    assert profile(config)["base_url"] == f"{emulator.url}/"


def test_credential_id_is_in_the_profile_before_it_is_registered(
    command: Command, config: Path, emulator: Emulator
) -> None:
    emulator.fail_next("POST", "/auth/credentials", status=400)
    arguments = ("register", "credential", "--config", config, "--profile", "next", "--by", "p")

    failed = command(*arguments, "--write")
    kept = profile(config)["credential_id"]
    done = command(*arguments, "--write", "--json")

    assert failed.code == 6
    assert (done.code, done.json["credential_id"]) == (0, kept)
    assert done.json["is_new"]


def test_credential_that_is_registered_already_is_found_and_written(
    command: Command, config: Path, emulator: Emulator
) -> None:
    emulator.register(public_pem(public_key("ES256")), "cr-made")

    done = command(
        "register", "credential", "--config", config, "--profile", "next", "--by", "p", "--write"
    )

    assert (done.code, profile(config)["credential_id"]) == (0, "cr-made")
    assert "found, for it was registered already: a credential ('cr-made')" in done.err
    assert creations(emulator, "/auth/credentials") == 0


def test_credential_is_described_in_json(command: Command, config: Path) -> None:
    done = command(
        "register", "credential", "--config", config, "--profile", "next", "--by", "p", "--json",
        "--credential-id", "cr-mine", "--name", "for people",
    )  # fmt: skip

    assert done.json.pop("credential_uuid").startswith("cu-")
    assert done.json | {"credential_uuid": None} == {
        "kind": "credential",
        "credential_id": "cr-mine",
        "credential_uuid": None,
        "name": "for people",
        "identity": None,
        "token_file": None,
        "is_new": True,
    }


def test_credential_id_in_a_variable_is_not_that_of_a_key_of_the_file(
    command: Command, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DFNS_CREDENTIAL_ID", "Y2kt")

    done = command(
        "register", "credential", "--config", config, "--profile", "next", "--by", "p", "--json"
    )

    assert (done.code, done.json["is_new"]) == (0, True)
    assert done.json["credential_id"] != "Y2kt"


def test_credential_of_another_id_than_the_profile_says_ends_with_1_and_the_remedy(
    command: Command, config: Path, emulator: Emulator
) -> None:
    emulator.register(public_pem(public_key("ES256")), "cr-made")
    arguments = ("register", "credential", "--config", config, "--profile", "next", "--by", "p")

    done = command(*arguments, "--credential-id", "cr-other")

    assert (done.code, done.out) == (1, "")
    assert "set credential_id = 'cr-made'" in done.err


def test_profile_without_a_credential_needs_another_one_to_sign(
    command: Command, config: Path, emulator: Emulator
) -> None:
    done = command("register", "credential", "--config", config, "--profile", "next")

    assert (done.code, emulator.requests) == (3, ())
    assert "name the profile of one with --by, or have somebody else sign" in done.err


def test_credential_that_is_not_registered_yet_does_not_sign_for_itself(
    command: Command, config: Path, emulator: Emulator
) -> None:
    text = config.read_text(encoding="utf-8").replace("Y2kt", "cr-new").replace("key.pem", "n.pem")
    config.write_text(text.replace("n.pem", "next.pem"), "utf-8")

    done = command("register", "credential", "--config", config)

    assert done.code == 1
    assert "cannot sign its own registration: name the profile of another one with --by" in done.err


def test_key_of_the_environment_alone_needs_a_name_and_is_written_nowhere(
    command: Command,
    folder: Path,
    emulator: Emulator,
    key_file: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    variables = {
        "DFNS_SIGNER": f"pem:?path={key_file}", "DFNS_AUTH_TOKEN": emulator.auth_token,
        "DFNS_BASE_URL": emulator.url, "DFNS_CREDENTIAL_ID": "Y2kt",
    }  # fmt: skip
    for name, value in variables.items():
        monkeypatch.setenv(name, value)

    nameless = command("register", "credential")
    written = command("register", "credential", "--name", "mine", "--write")
    done = command("register", "credential", "--name", "mine", "--json")

    assert (nameless.code, "--name" in nameless.err) == (2, True)
    assert (written.code, "name one with --profile" in written.err) == (3, True)
    assert (done.code, done.json["credential_id"], done.json["is_new"]) == (0, "Y2kt", False)


def test_key_of_a_kind_that_dfns_does_not_accept_ends_with_4(
    command: Command, folder: Path, config: Path, emulator: Emulator
) -> None:
    (folder / "next.pem").write_bytes(private_pem(ed448.Ed448PrivateKey.generate()))

    done = command("register", "credential", "--config", config, "--profile", "next", "--by", "p")

    assert (done.code, emulator.requests) == (4, ())
    assert "next.pem" in done.err
