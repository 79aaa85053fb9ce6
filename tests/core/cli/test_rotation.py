"""``rotate``: steps on standard output, questions at a terminal, JSON for programs."""

from __future__ import annotations

from pathlib import Path

import pytest

from dfns_signers.cli.exit_codes import ExitCode
from dfns_signers.emulator import Emulator
from tests.core.cli.support import Command, Outcome
from tests.core.cli.terminals import Terminal
from tests.core.keys import public_key, public_pem
from tests.core.lifecycle.driving import FIRST
from tests.core.lifecycle.rotating import Rotating

STEPS = ["check", "create", "register", "prove", "switch", "deactivate"]


@pytest.fixture
def rotating(folder: Path, emulator: Emulator) -> Rotating:
    emulator.register(public_pem(public_key("Ed25519")), credential_id=FIRST)
    emulator.disable_credential("Y2kt")
    return Rotating(folder, emulator)


def rotate(command: Command, rotating: Rotating, *options: str) -> Outcome:
    return command("rotate", "--config", rotating.config, "--profile", "p", *options)


def is_active(rotating: Rotating, credential_id: str = FIRST) -> bool:
    return rotating.credentials()[credential_id]


def test_each_step_is_a_line_and_what_is_left_to_do_is_said(
    command: Command, rotating: Rotating
) -> None:
    done = rotate(command, rotating, "--yes")

    assert done.code == ExitCode.OK
    assert [line.split()[:2] for line in done.out.splitlines()] == [["done", s] for s in STEPS]
    assert "key.pem, is still in its key store" in done.err
    assert not is_active(rotating)
    rotating.sign()


def test_without_a_terminal_and_without_yes_it_stops_before_the_deactivation(
    command: Command, rotating: Rotating
) -> None:
    done = rotate(command, rotating)

    assert done.code == ExitCode.OK
    *_, last = done.out.splitlines()
    assert last.startswith("waiting     deactivate")
    assert f"dfns-signers rotate --config {rotating.config} --profile p" in last
    assert "--yes" in done.err
    assert is_active(rotating)

    again = rotate(command, rotating, "--yes")

    assert [line.split()[:2] for line in again.out.splitlines()] == [["done", "deactivate"]]
    assert not is_active(rotating)


@pytest.mark.parametrize(("answer", "stays_active"), [("y", False), ("n", True), ("", True)])
def test_person_at_a_terminal_is_asked_before_the_deactivation(
    rotating: Rotating, answer: str, stays_active: bool
) -> None:
    with Terminal("rotate", "--config", rotating.config, "--profile", "p") as terminal:
        terminal.answer(f"Deactivate credential '{FIRST}'", answer)
        code = terminal.end()

    assert code == ExitCode.OK
    assert is_active(rotating) is stays_active


def test_dry_run_prints_the_steps_and_changes_nothing(command: Command, rotating: Rotating) -> None:
    before = rotating.config.read_bytes()

    done = rotate(command, rotating, "--dry-run", "--yes")

    assert [line.split()[:2] for line in done.out.splitlines()] == [
        ["done", "check"],
        *(["would", step] for step in STEPS[1:]),
    ]
    assert rotating.config.read_bytes() == before
    assert rotating.key_files == ["key.pem"]
    assert is_active(rotating)


def test_json_has_the_steps_and_both_credentials(command: Command, rotating: Rotating) -> None:
    done = rotate(command, rotating, "--yes", "--json")

    printed = done.json
    steps = printed.pop("steps")
    assert [(step["step"], step["state"]) for step in steps] == [(s, "done") for s in STEPS]
    assert printed == {
        "profile": "p",
        "credential_id": rotating.profiles["p"]["credential_id"],
        "old_credential_id": FIRST,
        "old_key": f"file {rotating.folder / 'key.pem'}",
        "copy": f"{rotating.config}.bak",
        "is_complete": True,
    }


def test_refusal_is_one_message_and_the_code_of_its_kind(
    command: Command, rotating: Rotating, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DFNS_CREDENTIAL_ID", "elsewhere")

    done = command("rotate", "--config", rotating.config, "--yes")

    assert done.code == ExitCode.CONFIGURATION
    assert "DFNS_CREDENTIAL_ID" in done.err
    assert done.out == ""
