"""``audit verify`` and ``audit show``."""

from __future__ import annotations

import json
import os
import resource
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from dfns_signers.audit.records import Head, line_after
from dfns_signers.audit.trail import AuditTrail
from tests.core.audit.trails import lines, write
from tests.core.cli.support import PROGRAM, SECONDS, Command, environment
from tests.core.config.support import write_config


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "audit.jsonl"


@pytest.fixture
def trail(file: Path) -> Path:
    """Three calls: one answered, one refused, one that nobody heard of again."""
    trail = AuditTrail(file)
    payment = {"caller": "payments", "method": "POST", "path": "/wallets/wa-1/transfers"}
    payment["profileRule"] = "company"
    trail.append("decided", call_id="call-1", outcome="allowed", rule="payouts", **payment)
    trail.append("decided", call_id="call-2", outcome="refused", check="no-rule", method="DELETE")
    trail.append("signed", call_id="call-1", milliseconds=12.5)
    trail.append("answered", call_id="call-1", status=403, milliseconds=99.25)
    trail.append("decided", call_id="call-3", outcome="allowed")
    trail.close()
    return file


def test_whole_trail_is_verified(command: Command, trail: Path) -> None:
    done = command("audit", "verify", trail)

    head = lines(trail)[-1]["hash"]
    assert done.code == 0
    assert "records: 6 (1 answered, 3 decided, 1 signed, 1 started)" in done.out
    assert "calls: 3, of which 1 open" in done.out
    assert f"head: {head} at sequence 6" in done.out
    assert done.out.endswith("the chain is whole\n")


def test_trail_of_the_profile_is_verified(command: Command, trail: Path) -> None:
    config = write_config(
        trail.parent, f'default_profile = "a"\n[profiles.a]\naudit.file = "{trail.name}"\n'
    )

    done = command("audit", "verify", "--config", config, "--json")

    assert (done.code, done.json["records"], done.json["findings"]) == (0, 6, [])


def test_profile_without_a_trail_is_said(command: Command, tmp_path: Path) -> None:
    config = write_config(tmp_path, 'default_profile = "a"\n[profiles.a]\n')

    done = command("audit", "show", "--config", config)

    assert done.code == 3
    assert "has no 'audit': give the file of the trail as an argument" in done.err


@pytest.mark.parametrize("name", ["show", "verify"])
def test_trail_without_a_record_yet_is_said(command: Command, tmp_path: Path, name: str) -> None:
    settings = 'default_profile = "a"\n[profiles.a]\naudit = { file = "audit.jsonl" }\n'
    config = write_config(tmp_path, settings)

    done = command("audit", name, "--config", config)

    assert done.code == 1
    assert f"{tmp_path / 'audit.jsonl'} is not there: no call has been recorded" in done.err


def test_change_is_found_with_its_line_and_ends_with_1(command: Command, trail: Path) -> None:
    trail.write_bytes(trail.read_bytes().replace(b'"status":403', b'"status":200'))

    done = command("audit", "verify", trail)

    assert done.code == 1
    assert f"FOUND: {trail} line 5 was changed" in done.out


def test_torn_end_ends_with_9(command: Command, trail: Path) -> None:
    with trail.open("ab") as torn:
        torn.write(b'{"sequence":7,')

    assert command("audit", "verify", trail).code == 9


def test_trail_without_a_record_ends_with_9(command: Command, tmp_path: Path) -> None:
    empty = tmp_path / "empty.jsonl"
    empty.touch()

    done = command("audit", "verify", empty)

    assert (done.code, "warning: there is no record" in done.out) == (9, True)


def cut(trail: Path) -> None:
    trail.write_bytes(b"".join(trail.read_bytes().splitlines(keepends=True)[:-1]))


def test_end_that_was_cut_off_is_found_by_the_head(command: Command, trail: Path) -> None:
    head = lines(trail)[-1]["hash"]
    assert command("audit", "verify", trail, "--head", head).code == 0
    cut(trail)
    trail.with_name("audit.jsonl.head").unlink()

    assert command("audit", "verify", trail).code == 0
    done = command("audit", "verify", trail, "--head", head)

    assert done.code == 1
    assert "no record is the given head" in done.out


@pytest.fixture
def log(tmp_path: Path, file: Path, caplog: pytest.LogCaptureFixture) -> Path:
    """What the trail said to the log, among other lines, and the heads of another trail."""
    caplog.set_level("INFO")
    write(file, 2)
    write(file, 2)
    other = "0" * 64
    log = tmp_path / "payments.log"
    log.write_text(
        "\n".join(
            [
                "2026-11-22 INFO something else",
                f"audit trail /elsewhere/other.jsonl: head {other} at sequence 4",
                *(f"2026-11-22 INFO dfns_signers.audit {text}" for text in caplog.messages),
            ]
        )
    )
    assert len(caplog.messages) == 2
    return log


def test_heads_of_the_log_are_those_of_the_trail(command: Command, file: Path, log: Path) -> None:
    assert command("audit", "verify", file, "--head-from", log).code == 0


def test_end_that_was_cut_off_is_found_by_the_log(command: Command, file: Path, log: Path) -> None:
    cut(file)

    done = command("audit", "verify", file, "--head-from", log)

    assert done.code == 1
    assert "the trail ends at sequence 8, and the log has a head at 9" in done.out


def test_chain_made_anew_is_found_by_the_log(command: Command, file: Path, log: Path) -> None:
    file.unlink()
    file.with_name("audit.jsonl.head").unlink()
    write(file, 4)

    done = command("audit", "verify", file, "--head-from", log)

    assert done.code == 1
    assert "line 5: the log has another hash for sequence 5" in done.out


def test_log_without_heads_is_said(command: Command, trail: Path, tmp_path: Path) -> None:
    (tmp_path / "empty.log").write_text("nothing\n")

    done = command("audit", "verify", trail, "--head-from", tmp_path / "empty.log")

    assert done.code == 1
    assert "has no head of audit.jsonl" in done.err


def test_calls_are_shown_a_line_each(command: Command, trail: Path) -> None:
    _, *rows = command("audit", "show", trail).out.splitlines()

    assert [row.split()[1:] for row in rows] == [
        ["payments", "answered", "403", "99.25", "payouts", "POST", "/wallets/wa-1/transfers"],
        ["refused", "no-rule", "DELETE", "(only", "the", "challenge", "is", "known)"],
        ["allowed", "-", "(only", "the", "challenge", "is", "known)"],
    ]


@pytest.mark.parametrize(
    ("arguments", "calls"),
    [
        ([], ["call-1", "call-2", "call-3"]),
        (["--caller", "payments"], ["call-1"]),
        (["--caller", "nobody"], []),
        (["--rule", "payouts"], ["call-1"]),
        (["--rule", "company"], ["call-1"]),
        (["--method", "DELETE"], ["call-2"]),
        (["--method", "delete"], ["call-2"]),
        (["--path", "/wallets/*"], ["call-1"]),
        (["--status", "403"], ["call-1"]),
        (["--status", "4xx"], ["call-1"]),
        (["--status", "4XX"], ["call-1"]),
        (["--status", "5xx"], []),
        (["--outcome", "refused"], ["call-2"]),
        (["--since", "2000-01-01", "--until", "2100-01-01T00:00Z"], ["call-1", "call-2", "call-3"]),
        (["--since", "2100-01-01"], []),
        (["--until", "2000-01-01"], []),
        (["--call", "call-3"], ["call-3"]),
        (["--last", "2"], ["call-2", "call-3"]),
        (["-n", "7"], ["call-1", "call-2", "call-3"]),
        (["--last", "1", "--method", "POST"], ["call-1"]),
    ],
    ids=" ".join,
)
def test_calls_are_filtered(
    command: Command, trail: Path, arguments: list[str], calls: list[str]
) -> None:
    done = command("audit", "show", trail, "--json", *arguments)

    assert [json.loads(line)["call"] for line in done.out.splitlines()] == calls


@pytest.mark.parametrize(
    ("option", "value", "expected"),
    [
        ("--status", "ok", "403, or 4xx"),
        ("--status", "40x", "403, or 4xx"),
        ("--outcome", "denied", "'refused'"),
        ("--last", "0", "--last"),
    ],
)
def test_filter_that_fits_no_call_is_a_usage_error(
    command: Command, trail: Path, option: str, value: str, expected: str
) -> None:
    done = command("audit", "show", trail, option, value)

    assert (done.code, done.out) == (2, "")
    assert expected in done.err


def test_time_that_cannot_be_read_is_a_usage_error(command: Command, trail: Path) -> None:
    done = command("audit", "show", trail, "--since", "yesterday")

    assert done.code == 2
    assert "expected a date or time such as" in done.err


HOSTILE = "\x1b]0;owned\x07\x1b[2J\r\n9999 forged row\t\u202e\u0000"


@pytest.fixture
def hostile(file: Path) -> Path:
    members = {
        "time": HOSTILE, "event": "decided", "call": HOSTILE, "outcome": "allowed",
        "caller": HOSTILE, "rule": HOSTILE, "method": HOSTILE, "path": HOSTILE,
    }  # fmt: skip
    first, head = line_after(Head(), members)
    second, _ = line_after(head, {**members, "event": HOSTILE})
    file.write_bytes(first + second + b"\x1b[2J\n" + b"[" * 50_000 + b"\n")
    return file


@pytest.mark.parametrize("arguments", [["show"], ["show", "--json"], ["verify"]], ids=" ".join)
def test_hostile_content_does_not_reach_the_terminal(
    command: Command, hostile: Path, arguments: list[str]
) -> None:
    done = command("audit", *arguments, hostile)

    assert all(character.isprintable() or character == "\n" for character in done.out + done.err)
    assert not any(line.startswith("9999") for line in done.out.splitlines())


def test_record_with_members_of_any_type_is_shown(command: Command, file: Path) -> None:
    file.write_bytes(line_after(Head(), {"event": "decided", "call": "call-1", "rule": ["a"]})[0])

    done = command("audit", "show", file, "--json")

    assert json.loads(done.out)["rule"] == ["a"]


@contextmanager
def terminal() -> Iterator[tuple[int, int]]:
    """What a person sees, and what a program writes to."""
    ends = os.openpty()
    try:
        yield ends
    finally:
        for end in ends:
            os.close(end)


def audit(*arguments: object, stdout: int, stderr: int) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [PROGRAM, "audit", *map(str, arguments)],
        stdout=stdout,
        stderr=stderr,
        timeout=SECONDS,
        check=False,
        env=environment(TERM="xterm"),
    )


@pytest.mark.parametrize("subcommand", ["verify", "show"])
def test_device_may_be_read_at_a_terminal(subcommand: str) -> None:
    with terminal() as (_, screen):
        done = audit(subcommand, os.devnull, stdout=subprocess.PIPE, stderr=screen)

    assert done.returncode == (9 if subcommand == "verify" else 0)


@pytest.mark.parametrize("subcommand", ["verify", "show"])
def test_reading_at_a_terminal_shows_its_progress(trail: Path, subcommand: str) -> None:
    with terminal() as (seen, screen):
        done = audit(subcommand, "--json", trail, stdout=subprocess.PIPE, stderr=screen)
        shown = os.read(seen, 65_536).decode("utf-8")

    assert "audit.jsonl" in shown
    assert b"audit.jsonl" not in done.stdout
    assert done.stdout.startswith(b"{")


def test_calls_at_a_terminal_take_the_place_of_the_progress(trail: Path) -> None:
    with terminal() as (seen, screen):
        audit("show", trail, stdout=screen, stderr=screen)
        shown = os.read(seen, 65_536).decode("utf-8")

    assert "audit.jsonl" in shown
    assert "audit.jsonl" not in shown.partition("caller")[2]
    assert shown.count("POST /wallets/wa-1/transfers") == 1


@pytest.mark.parametrize("subcommand", ["verify", "show"])
def test_trail_is_read_from_a_pipe(trail: Path, subcommand: str) -> None:
    done = subprocess.run(
        [PROGRAM, "audit", subcommand, "/dev/stdin"],
        input=trail.read_bytes(),
        capture_output=True,
        timeout=SECONDS,
        check=False,
        env=environment(),
    )

    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.parametrize("subcommand", ["verify", "show"])
def test_file_that_is_larger_than_the_memory_is_read(tmp_path: Path, subcommand: str) -> None:
    file = tmp_path / "audit.jsonl"
    head, size = Head(), 0
    with file.open("wb") as stream:
        while size < 40_000_000:
            line, head = line_after(
                head, {"event": "decided", "call": "c", "outcome": "refused", "path": "x" * 4000}
            )
            size += stream.write(line)
        stream.write(b"x" * 300_000_000)

    def limit_memory() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (600_000_000, 600_000_000))

    done = subprocess.run(
        [PROGRAM, "audit", subcommand, file],
        capture_output=True,
        timeout=SECONDS,
        check=False,
        env=environment(),
        preexec_fn=limit_memory,  # no threads here
    )

    assert (done.returncode, done.stderr) == (9 if subcommand == "verify" else 0, b"")


def test_show_of_a_file_that_is_not_there_prints_the_error_alone(
    command: Command, tmp_path: Path
) -> None:
    done = command("audit", "show", tmp_path / "no.jsonl")

    assert (done.code, done.out) == (1, "")
    assert "no.jsonl cannot be read" in done.err
