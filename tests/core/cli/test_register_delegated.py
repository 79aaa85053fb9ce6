"""``register`` where somebody else signs: in one run, or in two."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from dfns_signers.emulator import FULL_ACCESS, Emulator
from tests.core.cli.registering import config, profile
from tests.core.cli.support import Command, Started

__all__ = ["config"]

TOKEN_OPTIONS = {
    "credential": (),
    "service-account": ("--token-file", "token", "--permission", FULL_ACCESS),
    "token": ("--token-file", "token", "--permission", FULL_ACCESS),
}


@pytest.fixture(params=TOKEN_OPTIONS)
def arguments(request: pytest.FixtureRequest, config: Path) -> tuple[Any, ...]:
    options = TOKEN_OPTIONS[request.param]
    common = ("--config", config, "--profile", "next", "--by", "p", "--write")
    return ("register", request.param, *common, *options)


@pytest.fixture
def token_alone(config: Path) -> None:
    """The profile that announces has a token, and neither key nor credential."""
    lines = config.read_text(encoding="utf-8").splitlines()
    kept = [line for line in lines if "Y2kt" not in line and '"pem:?path=key.pem"' not in line]
    config.write_text("\n".join(kept), encoding="utf-8")


@pytest.fixture
def signer(folder: Path, key_file: Path) -> Path:
    """The configuration of somebody else, who has the key and no token."""
    path = folder / "signer.toml"
    path.write_text(
        'default_profile = "s"\n[profiles.s]\ncredential_id = "Y2kt"\n'
        'signer = "pem:?path=key.pem"\n',
        encoding="utf-8",
    )
    return path


@pytest.mark.usefixtures("token_alone")
def test_registration_in_two_runs_with_the_signature_of_another_machine_between(
    command: Command, config: Path, arguments: tuple[Any, ...], signer: Path, emulator: Emulator
) -> None:
    first = command(*arguments, "--challenge", "pending.json")
    signed = command("sign", "--config", signer, stdin=Path("pending.json").read_bytes())
    Path("assertion.json").write_text(signed.out, encoding="utf-8")
    second = command(*arguments, "--pending", "pending.json", "--assertion", "assertion.json")

    assert (first.code, first.out) == (0, "")
    assert "--pending pending.json --assertion assertion.json" in first.err
    assert second.code == 0
    assert emulator.auth_token not in Path("pending.json").read_text(encoding="utf-8")
    body = ("--json", '{"network": "Bitcoin"}')
    works = command("request", "POST", "/wallets", *body, "--config", config, "--profile", "next")
    assert works.code == 0


@pytest.mark.usefixtures("token_alone")
def test_registration_in_one_run_prints_the_challenge_and_reads_the_assertion(
    command: Command, config: Path, arguments: tuple[Any, ...], signer: Path
) -> None:
    with Started(*arguments, "--delegated") as started:
        signed = command("sign", "--config", signer, stdin=started.line())
        out, err = started.process.communicate(signed.out.encode(), timeout=60)

    assert (started.process.returncode, out) == (0, b"")
    assert b"registered" in err
    assert profile(config)["credential_id"]


def test_challenge_is_written_to_a_new_file_only(
    command: Command, arguments: tuple[Any, ...]
) -> None:
    Path("pending.json").write_text("mine", encoding="utf-8")

    done = command(*arguments, "--challenge", "pending.json")

    assert (done.code, "name a new file" in done.err) == (2, True)
    assert Path("pending.json").read_text(encoding="utf-8") == "mine"


def test_second_run_finds_what_is_registered_already(
    command: Command, arguments: tuple[Any, ...], signer: Path
) -> None:
    command(*arguments, "--challenge", "pending.json")
    signed = command("sign", "--config", signer, stdin=Path("pending.json").read_bytes())
    command(*arguments, "--pending", "pending.json", stdin=signed.out)

    again = command(*arguments, "--pending", "pending.json", stdin=signed.out)
    anew = command(*arguments, "--delegated")

    assert (again.code, anew.code) == (0, 0)
    assert "found, for it was registered already" in again.err
    assert "found, for it was registered already" in anew.err


@pytest.mark.parametrize("text", ["", "[]", "5", "{"])
def test_what_is_no_assertion_ends_with_2(
    command: Command, arguments: tuple[Any, ...], text: str
) -> None:
    command(*arguments, "--challenge", "pending.json")

    done = command(*arguments, "--pending", "pending.json", stdin=text)

    assert done.code == 2
    assert not Path("token").exists()


@pytest.mark.parametrize("text", ["", "[]", '{"challenge": {}}'])
def test_what_is_no_pending_action_ends_with_2(
    command: Command, arguments: tuple[Any, ...], text: str
) -> None:
    Path("pending.json").write_text(text, encoding="utf-8")

    done = command(*arguments, "--pending", "pending.json", stdin="{}")

    assert (done.code, "pending action" in done.err) == (2, True)


def test_pending_file_that_is_missing_ends_with_2(
    command: Command, arguments: tuple[Any, ...]
) -> None:
    done = command(*arguments, "--pending", "missing.json", stdin="{}")

    assert (done.code, "missing.json" in done.err) == (2, True)


def test_sign_takes_the_challenge_of_a_pending_action(
    command: Command, client_config: Path
) -> None:
    plain = {"challenge": "Y2gt", "challengeIdentifier": "eyJ0"}

    alone = command("sign", "--config", client_config, stdin=json.dumps(plain))
    within = command("sign", "--config", client_config, stdin=json.dumps({"challenge": plain}))

    assert within.json == alone.json
