"""``setup`` with a person who answers its questions."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from dfns_signers.emulator import Emulator
from dfns_signers.lifecycle import ProfileSetup
from tests.core.cli.support import Command
from tests.core.cli.terminals import Terminal
from tests.core.config.support import write_client_config
from tests.core.keys import public_key, public_pem

pytestmark = pytest.mark.skipif(os.name != "posix", reason="there are no pseudo-terminals")


@pytest.fixture
def config(folder: Path) -> Path:
    """There is no such file yet."""
    return folder / "config.toml"


def settings_of(config: Path, name: str) -> dict[str, object]:
    return dict(ProfileSetup(name, config=config).settings.open())


def test_questions_lead_from_nothing_to_a_profile_that_works(
    config: Path, emulator: Emulator, key_file: Path, command: Command
) -> None:
    with Terminal("setup", "--config", config) as person:
        person.answer("Name of the profile [default]", "laptop")
        person.answer("Backend", "pem")
        person.answer("Dfns API [https://api.dfns.io]", emulator.url)
        person.answer("Key [1]", "existing")
        person.answer(f"[{config.parent}]", "")
        person.answer("Key:", "1")
        person.answer("Credential id", "Y2kt")
        person.answer("Token [1]", "")
        person.answer("Token (hidden)", emulator.auth_token)
        code = person.end()

    assert code == 0, person.shown
    assert emulator.auth_token not in person.shown
    assert settings_of(config, "laptop")["auth_token"] == {"file": "laptop.token"}
    assert stat.S_IMODE(config.with_name("laptop.token").stat().st_mode) == 0o600
    assert command("request", "--config", config, "GET", "/wallets").code == 0


def test_key_is_created_and_registered_under_a_profile_that_is_picked(
    emulator: Emulator, folder: Path, key_file: Path
) -> None:
    config = write_client_config(folder, emulator.url, emulator.auth_token)

    with Terminal("setup", "--config", config, "--name", "laptop") as person:
        person.answer("Backend", "pem")
        person.answer("Dfns API", emulator.url)
        person.answer("Key [1]", "")
        person.answer("Algorithm [1]", "ES256")
        person.answer(f"[{folder / 'laptop.pem'}]", "")
        person.answer("Register the key with Dfns [1]", "p")
        person.answer("Register it as [1]", "credential")
        code = person.end()

    assert code == 0, person.shown
    assert (folder / "laptop.pem").exists()
    assert "registered: credential 'laptop'" in person.shown


def test_setup_goes_on_where_it_was_left_at_a_question(
    config: Path, emulator: Emulator, key_file: Path
) -> None:
    options = ("setup", "--config", config, "--name", "laptop")
    with Terminal(*options, "--backend", "pem", "--existing", "-o", f"path={key_file}") as person:
        person.answer("Dfns API", emulator.url)
        person.press("Credential id", b"\x04")  # Ctrl-D
        assert person.end() == 130

    with Terminal(*options) as person:
        person.answer("Credential id", "Y2kt")
        person.answer("Token [1]", "env")
        person.answer("Name of the variable", "TOKEN")
        code = person.end()

    assert code == 3  # doctor finds no such variable
    assert settings_of(config, "laptop")["auth_token"] == {"env": "TOKEN"}


@pytest.mark.parametrize(("answer", "is_replaced"), [("n", False), ("y", True)])
def test_what_the_profile_says_is_replaced_only_if_the_person_agrees(
    folder: Path, key_file: Path, emulator: Emulator, answer: str, is_replaced: bool
) -> None:
    config = write_client_config(folder, emulator.url, emulator.auth_token)
    emulator.register(public_pem(public_key("Ed25519")), "cr-new")
    before = config.read_bytes()

    with Terminal(
        "setup", "--config", config, "--name", "p", "--credential-id", "cr-new"
    ) as person:
        person.answer("another 'credential_id'. Replace it?", answer)
        person.end()

    assert (config.read_bytes() != before) is is_replaced
    assert config.with_name("config.toml.bak").exists() is is_replaced


def test_answer_that_is_none_of_the_choices_is_asked_for_again(config: Path) -> None:
    with Terminal("setup", "--config", config, "--name", "x") as person:
        person.answer("Backend", "99")
        person.answer("expected a number from 1 to", "pem")
        person.press("Dfns API", b"\x04")  # Ctrl-D
        assert person.end() == 130

    assert not config.exists()
