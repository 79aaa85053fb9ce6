"""``doctor``: findings for people and programs, the smallest policy, and the exit code."""

from __future__ import annotations

import os
import pty
import subprocess
from pathlib import Path
from typing import Any

import pytest

from dfns_signers.emulator import Emulator
from dfns_signers.public_keys import fingerprint
from tests.core.cli.support import PROGRAM, SECONDS, Command, environment
from tests.core.config.support import write_config, write_distribution, write_key
from tests.core.keys import public_key

POLICY = """
    from dfns_signers.plugin import (
        Backend, BackendOptions, DiagnosesKeys, Finding, Policy, Severity, hookimpl,
    )
    from dfns_signers.errors import KeyNotFoundError

    class Store(Backend[BackendOptions], DiagnosesKeys[BackendOptions]):
        options = BackendOptions

        def open(self, options):
            raise KeyNotFoundError("there is no key-1; create it")

        def diagnose(self, options):
            yield Finding("key state", Severity.FAILURE, "key-1 is away", "create it")

        def policy(self, options):
            return Policy("Acme policy", "allow sign\\non key-1")

    @hookimpl
    def dfns_backend():
        return Store()
"""


def change(config: Path, old: str, new: str) -> None:
    text = config.read_text(encoding="utf-8")
    assert old in text
    config.write_text(text.replace(old, new), encoding="utf-8")


def on_a_terminal(columns: int, *arguments: str | Path, **variables: str) -> list[str]:
    """The lines that a command prints on a terminal of this width."""
    ours, its = pty.openpty()
    with subprocess.Popen(
        [PROGRAM, *map(str, arguments)],
        stdout=its,
        env={**environment(**variables), "COLUMNS": str(columns), "NO_COLOR": "1"},
    ) as process:
        os.close(its)
        text = b""
        while part := _read(ours):
            text += part
        process.wait(SECONDS)
    os.close(ours)
    return text.decode("utf-8").splitlines()


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 10_000)
    except OSError:  # Linux says so at the end
        return b""


def test_profile_in_order_ends_with_0_and_a_line_for_each_check(
    command: Command, client_config: Path
) -> None:
    done = command("doctor", "--config", client_config)

    lines = done.out.splitlines()
    assert (done.code, done.err) == (0, "")
    assert {line.split()[0] for line in lines} == {"ok"}
    assert [line.split(":")[0].split(maxsplit=1)[1] for line in lines][-1] == "user action"
    assert " ms)" in done.out


def test_json_has_findings_and_policy(command: Command, client_config: Path) -> None:
    done = command("doctor", "--config", client_config, "--json")

    assert (done.code, done.err) == (0, "")
    assert done.json.keys() == {"findings", "policy"}
    assert done.json["policy"] is None
    assert done.json["findings"][0].keys() == {
        "check", "severity", "message", "remedy", "seconds",
    }  # fmt: skip
    assert {finding["severity"] for finding in done.json["findings"]} == {"ok"}


def test_warnings_alone_end_with_9_and_are_printed_once(
    command: Command, client_config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DFNS_CREDENTIAL_ID", "cr-else")

    done = command("doctor", "--config", client_config, "--profile", "p")

    assert (done.code, done.err) == (9, "")
    assert done.out.count("DFNS_CREDENTIAL_ID does not count") == 1
    assert "         -> unset it" in done.out


def no_configuration(config: Path, emulator: Emulator) -> None:
    config.unlink()


def token_unset(config: Path, emulator: Emulator) -> None:
    change(config, f'auth_token = "{emulator.auth_token}"', 'auth_token = { env = "NO_TOKEN" }')


def key_away(config: Path, emulator: Emulator) -> None:
    change(config, "key.pem", "away.pem")


def credential_unknown(config: Path, emulator: Emulator) -> None:
    change(config, "Y2kt", "cr-none")


def token_revoked(config: Path, emulator: Emulator) -> None:
    emulator.disable_identity(emulator.user_id)


def api_down(config: Path, emulator: Emulator) -> None:
    change(config, emulator.url, "http://127.0.0.1:1")  # where nothing listens


def key_and_credential(config: Path, emulator: Emulator) -> None:
    credential_unknown(config, emulator)
    key_away(config, emulator)


@pytest.mark.parametrize(
    ("arrange", "code"),
    [
        (no_configuration, 3),
        (token_unset, 3),
        (key_away, 4),
        (credential_unknown, 6),
        (token_revoked, 6),
        (api_down, 7),
        (key_and_credential, 4),
    ],
)
def test_exit_code_is_that_of_the_first_failure(
    command: Command, client_config: Path, emulator: Emulator, arrange: Any, code: int
) -> None:
    arrange(client_config, emulator)

    assert command("doctor", "--config", client_config).code == code
    as_json = command("doctor", "--config", client_config, "--json")
    assert (as_json.code, as_json.json["policy"]) == (code, None)


@pytest.fixture
def store_config(site: Path, folder: Path, emulator: Emulator) -> Path:
    """A profile of a backend that examines its keys, and has none."""
    write_distribution(site, "acme-store", {"acme": POLICY})
    return write_config(
        folder,
        f"""
        [profiles.p]
        base_url = "{emulator.url}"
        auth_token = "{emulator.auth_token}"
        credential_id = "Y2kt"
        signer.backend = "acme"
        """,
    )


def test_smallest_policy_comes_last(command: Command, store_config: Path) -> None:
    done = command("doctor", "--config", store_config, "--profile", "p")

    assert done.code == 4
    assert done.out.endswith("\nAcme policy for exactly this key:\n\nallow sign\non key-1\n")


def test_json_has_the_smallest_policy_and_what_the_backend_found(
    command: Command, store_config: Path
) -> None:
    done = command("doctor", "--config", store_config, "--profile", "p", "--json")

    assert done.json["policy"] == {"kind": "Acme policy", "text": "allow sign\non key-1"}
    assert {
        "check": "key state",
        "severity": "failure",
        "message": "key-1 is away",
        "remedy": "create it",
        "seconds": None,
    } in done.json["findings"]


def test_list_fits_a_terminal_of_80_columns_but_for_words_that_are_longer(
    client_config: Path, emulator: Emulator
) -> None:
    change(client_config, "Y2kt", "cr-none")

    lines = on_a_terminal(80, "doctor", "--config", client_config)

    assert [line for line in lines if len(line) > 80 and len(line.split()) > 1] == []
    assert any(line.startswith("FAILURE  credential: ") for line in lines)
    assert any(line.startswith("         -> the key ") for line in lines)


def test_control_characters_in_a_finding_do_not_reach_the_terminal(
    command: Command, store_config: Path, site: Path
) -> None:
    change(site / "acme.py", "key-1 is away", "\\x1b[2J gone")

    done = command("doctor", "--config", store_config, "--profile", "p")

    assert "\x1b" not in done.out + done.err
    assert "\\x1b[2J gone" in done.out


def test_list_is_plain_ascii(command: Command, client_config: Path) -> None:
    change(client_config, "Y2kt", "cr-none")

    assert command("doctor", "--config", client_config).out.isascii()


def test_key_that_another_credential_has_is_named_with_both_fingerprints(
    command: Command, client_config: Path, folder: Path, emulator: Emulator
) -> None:
    write_key(folder, algorithm="ES256")

    done = command("doctor", "--config", client_config)

    assert done.code == 6
    for algorithm in ("Ed25519", "ES256"):
        assert fingerprint(public_key(algorithm)) in done.out
