"""``register service-account`` and ``register token``: a key and a token that is shown once."""

from __future__ import annotations

import json
import os
import stat
import subprocess
from pathlib import Path
from typing import Any, Final

import pytest
import tomlkit

from dfns_signers.cli.registration_results import TokenPlace
from dfns_signers.emulator import FULL_ACCESS, Emulator
from dfns_signers.lifecycle.token_file import TokenFile
from dfns_signers.sealed import Sealed
from tests.core.cli.registering import config, creations, profile, signs
from tests.core.cli.support import PROGRAM, SECONDS, Command, environment
from tests.core.client.recordings import calls
from tests.core.keys import public_key, public_pem

__all__ = ["config"]

IDENTITIES: Final = {"service-account": "/auth/service-accounts", "token": "/auth/pats"}


@pytest.fixture(params=IDENTITIES)
def kind(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture
def arguments(kind: str, config: Path) -> tuple[Any, ...]:
    return (
        "register",
        kind,
        "--config",
        config,
        "--profile",
        "next",
        "--by",
        "p",
        "--permission",
        FULL_ACCESS,
    )


def test_identity_that_is_written_makes_the_profile_complete(
    command: Command, config: Path, arguments: tuple[Any, ...], working_folder: Path
) -> None:
    done = command(*arguments, "--token-file", "token", "--write")

    assert (done.code, done.out) == (0, "")
    assert signs(command, config)
    assert profile(config)["auth_token"] == {"file": str(working_folder / "token")}
    assert stat.S_IMODE((working_folder / "token").stat().st_mode) == 0o600


def test_token_file_beside_the_configuration_is_named_without_its_folder(
    command: Command, config: Path, arguments: tuple[Any, ...]
) -> None:
    done = command(*arguments, "--token-file", config.parent / "robot.token", "--write")

    assert done.code == 0
    assert profile(config)["auth_token"] == {"file": "robot.token"}
    assert signs(command, config)


def test_identity_is_printed_as_settings_of_the_profile(
    command: Command, arguments: tuple[Any, ...], tmp_path: Path
) -> None:
    done = command(*arguments, "--token-file", tmp_path / "token")

    settings = tomlkit.parse(done.out).unwrap()["profiles"]["next"]
    assert settings.keys() == {"credential_id", "auth_token"}
    assert settings["auth_token"] == {"file": str(tmp_path / "token")}


def test_token_goes_to_standard_output_if_that_is_asked_for_and_nowhere_else(
    command: Command,
    config: Path,
    arguments: tuple[Any, ...],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))

    done = command(*arguments, "--token-stdout", "--write")

    assert done.code == 0
    assert done.out.count("\n") == 1
    assert done.out.strip() not in done.err
    assert "auth_token" not in profile(config)
    assert list((tmp_path / "temporary").iterdir()) == []
    monkeypatch.setenv("DFNS_AUTH_TOKEN", done.out)
    assert signs(command, config)


def test_settings_go_to_standard_error_where_standard_output_has_the_token(
    command: Command, arguments: tuple[Any, ...]
) -> None:
    done = command(*arguments, "--token-stdout")

    assert "[profiles.next]\ncredential_id" in done.err
    assert "profiles" not in done.out


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
def test_token_that_standard_output_does_not_take_is_in_a_file_that_the_error_names(
    arguments: tuple[Any, ...],
) -> None:
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [PROGRAM, *map(str, arguments), "--token-stdout"],
            stdout=full,
            stderr=subprocess.PIPE,
            env=environment(),
            timeout=SECONDS,
            check=False,
        )

    assert done.returncode == 1
    kept = Path(done.stderr.decode().partition("It is in ")[2].partition(",")[0])
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert kept.read_text(encoding="utf-8").count(".") == 2


@pytest.mark.skipif(os.name != "posix", reason="a shell of POSIX closes the output")
def test_nothing_is_registered_where_standard_output_is_closed(
    arguments: tuple[Any, ...], kind: str, emulator: Emulator
) -> None:
    closing = ["sh", "-c", 'exec "$@" >&-', "sh", PROGRAM]
    done = subprocess.run(
        [*closing, *map(str, arguments), "--token-stdout"],
        stderr=subprocess.PIPE,
        env=environment(),
        timeout=SECONDS,
        check=False,
    )

    assert done.returncode == 2
    assert b"needs standard output" in done.stderr
    assert creations(emulator, IDENTITIES[kind]) == 0


def test_token_for_standard_output_is_kept_where_it_cannot_be_shown_any_more(
    capsys: pytest.CaptureFixture[str],
) -> None:
    place = TokenPlace(None, stdout=True)
    file = TokenFile(place.path)

    with place:  # and an error ends it before ``show``
        file.reserve()
        file.write(Sealed("a.b.c"), "a service account")

    assert place.path.read_text(encoding="utf-8") == "a.b.c\n"
    assert f"the token is in {place.path}" in capsys.readouterr().err


def test_identity_that_is_registered_already_is_found(
    command: Command, kind: str, arguments: tuple[Any, ...], emulator: Emulator, tmp_path: Path
) -> None:
    arguments = (*arguments, "--token-file", tmp_path / "token", "--json")
    made = command(*arguments)

    again = command(*arguments)

    assert again.json == {**made.json, "is_new": False}
    assert creations(emulator, IDENTITIES[kind]) == 1


def test_identity_whose_token_is_lost_ends_with_1_and_is_replaced_if_that_is_asked_for(
    command: Command, config: Path, arguments: tuple[Any, ...], tmp_path: Path
) -> None:
    made = command(*arguments, "--token-file", tmp_path / "token", "--json")
    (tmp_path / "token").unlink()

    lost = command(*arguments, "--token-file", tmp_path / "token")
    done = command(*arguments, "--token-file", tmp_path / "token", "--write", "--replace", "--json")

    assert (lost.code, "--replace" in lost.err) == (1, True)
    assert made.json["identity"] in lost.err
    assert (done.code, done.json["is_new"]) == (0, True)
    assert signs(command, config)


def test_what_is_given_is_sent(
    command: Command, kind: str, arguments: tuple[Any, ...], emulator: Emulator, tmp_path: Path
) -> None:
    permission = command(
        "request", "POST", "/permissions", "--json", '{"name": "p", "operations": ["Keys:Read"]}',
        "--config", arguments[3], "--profile", "p",
    ).json["id"]  # fmt: skip

    done = command(
        *arguments, "--token-file", tmp_path / "token", "--name", "robot", "--permission",
        permission, "--external-id", "r-1", "--days", 30,
    )  # fmt: skip

    assert done.code == 0
    assert json.loads(calls(emulator)[-1].body) == {
        "name": "robot", "publicKey": public_pem(public_key("ES256")).decode(),
        "permissionId": permission, "externalId": "r-1", "daysValid": 30,
    }  # fmt: skip


@pytest.mark.parametrize(
    "wrong",
    [
        [],
        ["--token-file", "t", "--token-stdout"],
        ["--token-stdout", "--json"],
        ["--token-stdout", "--delegated"],
        ["--token-file", "t", "--delegated", "--replace"],
        ["--token-file", "t", "--challenge", "c", "--pending", "c"],
        ["--token-file", "t", "--assertion", "a"],
        ["--token-file", "t", "--days", "0"],
        ["--token-file", "t", "--name", ""],
    ],
    ids=" ".join,
)
def test_options_that_do_not_fit_end_with_2_and_nothing_is_sent(
    command: Command, arguments: tuple[Any, ...], emulator: Emulator, wrong: list[str]
) -> None:
    done = command(*arguments, *wrong)

    assert (done.code, done.out, emulator.requests) == (2, "", ())
    assert list(Path().iterdir()) == []


def test_service_account_may_not_create_a_token(
    command: Command, config: Path, folder: Path, tmp_path: Path
) -> None:
    base = ("--config", config, "--profile", "next")
    command(
        "register",
        "service-account",
        *base,
        "--by",
        "p",
        "--token-file",
        tmp_path / "token",
        "--write",
    )

    done = command("register", "token", *base, "--token-file", tmp_path / "second")

    assert done.code == 6
    assert "Only the login session of a user may create personal access tokens" in done.err
