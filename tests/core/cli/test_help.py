"""Help, version and completion."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import pytest

import dfns_signers
from tests.core.cli.support import COMMANDS, Command, run


def test_there_are_the_documented_commands() -> None:
    assert {
        ("backends",), ("config", "show"), ("demo",), ("emulator",), ("public-key",), ("request",),
        ("sign",), ("verify",),
    } <= COMMANDS.keys()  # fmt: skip


WITHOUT_CONFIGURATION = {
    ("operations",),
    ("gateway", "certificate"),
}
WITHOUT_PROFILE = WITHOUT_CONFIGURATION | {
    ("gateway", "caller", "list"),
    ("gateway", "caller", "remove"),
    ("gateway", "status"),
    ("gateway", "wait"),
}


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
@pytest.mark.parametrize("option", ["--help", "-h"])
def test_help_of_every_command_tells_what_it_does_and_takes_config_and_profile_if_it_may_read_one(
    command: Command, path: tuple[str, ...], option: str
) -> None:
    done = command(*path, option)

    assert (done.code, done.err) == (0, "")
    assert f"Usage: dfns-signers {' '.join(path)} " in done.out
    for shared, without in (("--config", WITHOUT_CONFIGURATION), ("--profile", WITHOUT_PROFILE)):
        assert bool(re.search(rf"{shared}\b", done.out)) == (path not in without)


@pytest.mark.parametrize("path", [("demo",), ("backends",), ("emulator",)], ids=" ".join)
def test_help_of_a_command_that_reads_no_configuration_by_itself_promises_none(
    command: Command, path: tuple[str, ...]
) -> None:
    said = command(*path, "--help").out

    assert "none is read, unless --profile is given" in said
    assert "DFNS_CONFIG" not in said


@pytest.mark.parametrize(
    "path",
    [
        path
        for path in COMMANDS
        if path not in {("demo",), ("backends",), ("emulator",), *WITHOUT_PROFILE}
    ],
    ids=" ".join,
)
def test_help_of_any_other_command_says_which_configuration_is_read(
    command: Command, path: tuple[str, ...]
) -> None:
    assert "$DFNS_CONFIG" in command(*path, "--help").out


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_command_is_listed_with_the_first_paragraph_of_its_help(path: tuple[str, ...]) -> None:
    listed, own = COMMANDS[path], COMMANDS[path].imported()

    paragraph, *_ = inspect.cleandoc(own.help).split("\n\n")
    assert listed.help == " ".join(paragraph.split())
    assert listed.name == own.name == path[-1]


def test_help_lists_every_command_and_exit_code(command: Command) -> None:
    done = command("--help")

    assert done.code == 0
    for path in COMMANDS:
        assert path[0] in done.out
    for code in range(9):
        assert re.search(rf"^\W*{code}\W+[a-z]", done.out, re.MULTILINE)


def test_version_is_printed(command: Command) -> None:
    done = command("--version")

    assert (done.code, done.out) == (0, f"dfns-signers {dfns_signers.__version__}\n")


@pytest.mark.parametrize("arguments", [[], ["config"], ["gateway", "caller"]])
def test_command_without_a_command_shows_the_help(command: Command, arguments: list[str]) -> None:
    done = command(*arguments)

    assert "Usage: dfns-signers" in done.out + done.err


@pytest.mark.parametrize(
    "arguments",
    [
        ["sing"],
        ["sign", "--nonsense"],
        ["request", "GET"],
        ["config", "shwo"],
        ["gateway", "chekc"],
    ],
)
def test_wrong_command_line_ends_with_2_and_the_way_to_help(
    command: Command, arguments: list[str]
) -> None:
    done = command(*arguments)

    assert (done.code, done.out) == (2, "")
    assert "Usage: dfns-signers" in done.err


def test_completion_for_bash_is_printed_and_completes() -> None:
    script = run("--show-completion", "bash", _TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION="1")
    completed = run(
        _DFNS_SIGNERS_COMPLETE="complete_bash", COMP_WORDS="dfns-signers pub", COMP_CWORD="1"
    )

    assert script.code == 0
    assert "_DFNS_SIGNERS_COMPLETE=complete_bash" in script.out
    assert completed.out.split() == ["public-key"]


def test_commands_of_a_group_that_runs_by_itself_are_completed() -> None:
    completed = run(
        _DFNS_SIGNERS_COMPLETE="complete_bash", COMP_WORDS="dfns-signers gateway ca", COMP_CWORD="2"
    )

    assert completed.out.split() == ["caller"]


@pytest.mark.parametrize("command_name", ["request", "emulator", "gateway"])
def test_profiles_are_completed(folder: Path, command_name: str) -> None:
    config = folder / "config.toml"
    config.write_text("[profiles.laptop]\n[profiles.local]\n[profiles.robot]\n", encoding="utf-8")

    def completed(file: Path) -> list[str]:
        words = f"dfns-signers {command_name} --config {file} --profile l"
        return run(
            _DFNS_SIGNERS_COMPLETE="complete_bash", COMP_WORDS=words, COMP_CWORD="5"
        ).out.split()

    assert completed(config) == ["laptop", "local"]
    assert completed(folder / "nowhere.toml") == []


@pytest.mark.parametrize(
    "words",
    [
        "dfns-signers gateway caller remove --config {}",
        "dfns-signers policy check --config {} --caller",
    ],
)
def test_callers_of_the_gateway_are_completed(folder: Path, words: str) -> None:
    config = folder / "config.toml"
    config.write_text(
        "[gateway.callers.shop]\n[gateway.callers.shipping]\n[gateway.callers.web]\n",
        encoding="utf-8",
    )
    line = [*words.format(config).split(), "s"]

    done = run(
        _DFNS_SIGNERS_COMPLETE="complete_bash",
        COMP_WORDS=" ".join(line),
        COMP_CWORD=str(len(line) - 1),
    )

    assert done.out.split() == ["shop", "shipping"]
