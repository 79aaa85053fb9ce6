"""What is logged as a warning appears on standard error, and nothing less does."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from tests.core.cli.support import Command, run
from tests.core.config.support import write_client_config, write_distribution

CHALLENGE = '{"challenge": "Y2g"}'


def test_key_file_that_others_can_read_is_warned_of_in_one_line(
    client_config: Path, key_file: Path
) -> None:
    key_file.chmod(0o644)

    done = run("public-key", "--config", client_config)

    assert done.code == 0
    assert done.out.startswith("-----BEGIN PUBLIC KEY-----\n")
    assert done.err == (
        f"warning: other users can read the key file {key_file}; run: chmod 600 {key_file}\n"
    )


def test_configuration_file_with_a_token_that_others_can_read_is_warned_of(
    client_config: Path,
) -> None:
    client_config.chmod(0o644)

    done = run("sign", "--config", client_config, stdin=CHALLENGE.encode())

    assert done.code == 0
    assert done.err == (
        "warning: other users can read the secret in the configuration file "
        f"{client_config}; run: chmod 600 {client_config}\n"
    )


def test_variables_that_do_not_count_beside_a_named_profile_are_warned_of(
    command: Command, client_config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DFNS_BASE_URL", "https://elsewhere.example")
    monkeypatch.setenv("DFNS_AUTH_TOKEN", "of the shell")

    done = command("request", "GET", "/wallets", "--config", client_config, "--profile", "p")

    assert done.code == 0
    assert [line.split()[4] for line in done.err.splitlines()] == [
        "DFNS_AUTH_TOKEN", "DFNS_BASE_URL"
    ]  # fmt: skip


def test_token_that_goes_to_an_address_of_the_shell_is_warned_of(
    command: Command, client_config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DFNS_BASE_URL", "https://elsewhere.example")

    done = command("config", "show", "--config", client_config)

    assert "goes to https://elsewhere.example" in done.err


def test_what_is_logged_below_a_warning_is_not_shown(client_config: Path) -> None:
    done = run("sign", "--config", client_config, stdin=CHALLENGE.encode())

    assert (done.code, done.err) == (0, "")


OBSERVER = """
    from dfns_signers import hookimpl

    @hookimpl
    def after_sign():
        raise OSError("disk \\x1b[2J full")
"""


def test_observer_that_fails_is_warned_of_with_its_error_and_without_a_traceback(
    command: Command, folder: Path, key_file: Path, site: Path
) -> None:
    write_distribution(site, "acme-audit", {"audit": OBSERVER})
    config = write_client_config(folder, "https://api.dfns.io", "token", 'plugins = ["audit"]')

    done = command("sign", "--config", config, stdin=CHALLENGE)

    assert done.code == 0
    assert done.err == (
        "warning: the plugin 'audit' failed after a signature with the key "
        f"file {key_file}, which it does not change (OSError: disk \\x1b[2J full)\n"
    )


@pytest.mark.parametrize("arguments", [["backends"], ["sign", "--nonsense"]])
def test_command_leaves_the_logging_of_its_process_as_it_was(
    command: Command, arguments: list[str]
) -> None:
    root = logging.getLogger()
    before = (list(root.handlers), root.level)

    command(*arguments)

    assert (list(root.handlers), root.level) == before
