"""``--config`` and ``--profile`` mean the same before the command as after it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.core.cli.support import Command


@pytest.fixture
def config(folder: Path) -> Path:
    path = folder / "config.toml"
    path.write_text(
        'default_profile = "first"\n[profiles.first]\ncredential_id = "cr-1"\n'
        '[profiles.second]\ncredential_id = "cr-2"\n',
        encoding="utf-8",
    )
    return path


def credential(command: Command, *arguments: str | Path) -> str:
    done = command(*arguments, "--json")
    assert done.code == 0, done.err
    values = {row["setting"]: row["value"] for row in done.json["settings"]}
    return str(values["credential_id"])


def test_options_before_the_command_choose_its_profile(command: Command, config: Path) -> None:
    given = ("--config", config, "--profile", "second")

    assert credential(command, *given, "config", "show") == "cr-2"
    assert (
        credential(command, "--config", config, "config", "show", "--profile", "second") == "cr-2"
    )


def test_option_after_the_command_counts_more(command: Command, config: Path) -> None:
    given = ("--config", config, "--profile", "second")

    assert credential(command, *given, "config", "show", "--profile", "first") == "cr-1"


def test_without_options_before_the_command_nothing_changes(command: Command, config: Path) -> None:
    assert credential(command, "config", "show", "--config", config) == "cr-1"


@pytest.mark.parametrize("name", ["public-key", "request", "backends"])
def test_profile_before_a_command_is_read_as_one_after_it(
    command: Command, config: Path, name: str
) -> None:
    arguments = ("GET", "/wallets") if name == "request" else ()

    done = command("--config", config, "--profile", "third", name, *arguments)

    assert done.code == 3
    assert "third" in done.err
