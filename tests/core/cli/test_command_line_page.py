"""``docs/command-line.md`` has every command, every option and every exit code."""

from __future__ import annotations

import re
import shlex
from typing import Any

import pytest

from dfns_signers.cli.exit_codes import MEANINGS
from tests.core.cli.support import COMMANDS, Command
from tests.support.pages import DOCS, blocks, rows, section

PAGE = "command-line.md"
SHARED = {"--config", "--profile", "--help"}


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_command_has_a_section_with_an_example_and_all_its_options(path: tuple[str, ...]) -> None:
    text = section(PAGE, f"`{' '.join(path)}`")
    parameters: list[Any] = COMMANDS[path].imported().params
    options = {
        name
        for parameter in parameters
        for name in (*parameter.opts, *parameter.secondary_opts)
        if name.startswith("--")
    }

    assert options - SHARED - set(re.findall(r"--[a-z-]+", text)) == set()
    examples = [shlex.split(line) for block in blocks(text, "sh") for line in block.splitlines()]
    assert examples
    for program, *words in examples:
        assert program == "dfns-signers"
        assert tuple(words[: len(path)]) == path


def test_page_of_the_emulator_has_all_options_of_its_command() -> None:
    parameters: list[Any] = COMMANDS["emulator",].imported().params
    names = {name for each in parameters for name in (*each.opts, *each.secondary_opts)}

    documented = rows(section("emulator.md", "On the command line"))

    assert {name for row in documented for name in re.findall(r"`(--[a-z-]+)", row)} == {
        name for name in names if name.startswith("--") and name != "--help"
    }


def test_page_has_no_section_for_a_command_that_does_not_exist() -> None:
    titles = re.findall(r"^## `(.*)`$", (DOCS / PAGE).read_text(encoding="utf-8"), re.MULTILINE)

    assert {tuple(title.split()) for title in titles} == COMMANDS.keys()


def test_exit_codes_are_those_of_the_commands() -> None:
    assert rows(section(PAGE, "Exit codes")) == [
        f"| {code:d} | {meaning} |" for code, meaning in MEANINGS.items()
    ]


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_options_of_the_examples_exist(path: tuple[str, ...], command: Command) -> None:
    text = section(PAGE, f"`{' '.join(path)}`")
    used = {
        word
        for block in blocks(text, "sh")
        for word in shlex.split(block)
        if re.fullmatch(r"--?[a-z-]+", word)
    }
    done = command(*path, "--help")

    assert {option for option in used if option not in done.out} == set()
