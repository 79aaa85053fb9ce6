"""Pipes that close, terminals, interrupts and narrow encodings end no command with a traceback."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from pathlib import Path

import pytest

from dfns_signers.emulator import Emulator
from tests.core.cli.support import PROGRAM, SECONDS, Command, Started, environment, run


@pytest.mark.parametrize(
    "arguments",
    [
        ["sign"],
        ["public-key"],
        ["public-key", "--json"],
        ["request", "GET", "/wallets"],
        ["config", "show"],
        ["config", "show", "--json"],
        ["backends"],
        ["--help"],
        ["--version"],
    ],
    ids=" ".join,
)
def test_reader_that_went_away_leaves_no_traceback(
    client_config: Path, emulator: Emulator, arguments: list[str]
) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    with open(writer, "wb") as closed:  # noqa: PTH123  # a descriptor
        done = subprocess.run(
            [PROGRAM, *arguments],
            input=b'{"challenge": "Y2gt"}',
            stdout=closed,
            stderr=subprocess.PIPE,
            timeout=SECONDS,
            check=False,
            env=environment(DFNS_CONFIG=str(client_config)),
        )

    assert done.returncode == 1
    assert done.stderr == b""


def test_interrupt_while_waiting_for_the_challenge_ends_with_130(client_config: Path) -> None:
    terminal, slave = os.openpty()
    try:
        with Started("sign", "--config", client_config, stdin=slave) as process:
            assert process.note() == (
                b"reading the challenge as JSON from standard input; end with Ctrl-D\n"
            )

            assert process.stop(signal.SIGINT) == (130, b"", b"")
    finally:
        os.close(slave)
        os.close(terminal)


def test_standard_input_that_is_closed_refused(client_config: Path) -> None:
    done = subprocess.run(
        ["sh", "-c", 'exec "$0" sign --config "$1" <&-', PROGRAM, str(client_config)],
        capture_output=True,
        timeout=SECONDS,
        check=False,
        env=environment(),
    )

    assert (done.returncode, done.stdout) == (2, b"")
    assert done.stderr == b"error: standard input is closed: expected the challenge as JSON\n"


NAMES = ["Büro 金庫", "lone \ud800 surrogate", "\x1b[31mred"]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("encoding", ["utf-8", "ascii", "latin-1"])
def test_json_comes_back_as_it_was_whatever_the_encoding_of_standard_output(
    client_config: Path, emulator: Emulator, name: str, encoding: str
) -> None:
    emulator.fail_next("GET", "/wallets", status=200, body={"name": name})

    done = subprocess.run(
        [PROGRAM, "request", "GET", "/wallets"],
        capture_output=True,
        timeout=SECONDS,
        check=False,
        env=environment(DFNS_CONFIG=str(client_config), PYTHONIOENCODING=encoding),
    )

    assert (done.returncode, done.stderr) == (0, b"")
    assert json.loads(done.stdout.decode(encoding)) == {"name": name}
    assert b"\x1b" not in done.stdout


@pytest.mark.parametrize("arguments", [["config", "show"], ["backends"], ["--help"]], ids=" ".join)
def test_table_is_printed_whatever_the_encoding_of_standard_output(
    folder: Path, arguments: list[str]
) -> None:
    done = run(*arguments, PYTHONIOENCODING="ascii", DFNS_BASE_URL="https://api.dfns.io/Büro")

    assert (done.code, done.err) == (0, "")
    assert done.out.isascii()


def test_table_in_a_pipe_is_not_folded_however_long_a_value_is(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = f"https://api.dfns.io/{'a' * 500}"
    monkeypatch.setenv("DFNS_BASE_URL", url)
    monkeypatch.setenv("COLUMNS", "40")

    out = command("config", "show").out

    assert f" {url} " in out
    assert max(map(len, out.splitlines())) < 1_000
