"""``setup``, unattended, against an emulator and with PEM keys."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import Any, Final

import pytest

from dfns_signers import DfnsClient
from dfns_signers.config.writing import ConfigEdit
from dfns_signers.emulator import FULL_ACCESS, Emulator
from tests.core.cli.support import Command, Outcome
from tests.core.config.support import write_client_config, write_key
from tests.secrecy import CANARY

TOKEN: Final = f"token-{CANARY}"
COMMENT: Final = "# what the administrator may do"


@pytest.fixture
def config(folder: Path, key_file: Path, emulator: Emulator) -> Path:
    """A file whose profile ``p`` may register keys."""
    path = write_client_config(folder, emulator.url, emulator.auth_token)
    path.write_text(f"{COMMENT}\n{path.read_text('utf-8')}", encoding="utf-8")
    return path


def profile(config: Path, name: str = "new") -> dict[str, Any]:
    return dict(ConfigEdit(config).profiles[name])


def snapshot(folder: Path) -> dict[str, bytes]:
    """Every file of a folder, with its content."""
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def accounts(emulator: Emulator, config: Path) -> list[Any]:
    with DfnsClient.from_config("p", config=config) as dfns:
        return list(dfns.auth.service_accounts.list())


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture
def setup(command: Command, config: Path) -> Any:
    def run(*arguments: object, stdin: str = "", name: str = "new") -> Outcome:
        return command("setup", "--config", config, "--name", name, *arguments, stdin=stdin)

    return run


API: Final = ("--base-url", "http://[::1]:1")
CREATE: Final = (
    "--backend",
    "pem",
    "--create",
    "--register-by",
    "p",
    "--permission",
    FULL_ACCESS,
    "--yes",
)


def test_one_command_leads_from_nothing_to_a_signed_call(
    setup: Any, config: Path, command: Command
) -> None:
    done = setup(*CREATE)
    called = command(
        "request", "--config", config, "--profile", "new", "POST", "/wallets",
        "--json", '{"network": "EthereumSepolia"}',
    )  # fmt: skip

    assert (done.code, done.err.count("error")) == (0, 0)
    assert called.json["network"] == "EthereumSepolia"


def test_profile_is_written_complete_beside_what_is_there(
    setup: Any, config: Path, emulator: Emulator
) -> None:
    before = config.read_text("utf-8")

    setup(*CREATE)

    written = profile(config)
    assert config.read_text("utf-8").startswith(before)
    assert written["base_url"] == emulator.url
    assert written["signer"]["backend"] == "pem"
    assert written["auth_token"] == {"file": "new.token"}
    assert mode(config.with_name("new.token")) == mode(config.with_name("new.pem")) == 0o600


@pytest.mark.parametrize("kind", ["service-account", "token", "credential"])
def test_key_becomes_what_is_asked_for(
    setup: Any, config: Path, command: Command, kind: str
) -> None:
    done = setup(*CREATE, "--as", kind)
    called = command("request", "--config", config, "--profile", "new", "GET", "/wallets")

    assert (done.code, called.code) == (0, 0)
    assert f"registered: {kind} 'new'" in done.err


def test_token_is_shown_nowhere(setup: Any, config: Path) -> None:
    done = setup(*CREATE)

    token = config.with_name("new.token").read_text("utf-8").strip()
    assert token not in done.out + done.err
    assert token not in config.read_text("utf-8")


def test_finished_setup_changes_nothing_when_it_is_repeated(
    setup: Any, config: Path, emulator: Emulator
) -> None:
    setup(*CREATE)
    before = snapshot(config.parent)

    again = setup(*CREATE)

    assert again.code == 0
    assert snapshot(config.parent) == before
    assert len(accounts(emulator, config)) == 1


def test_dry_run_says_what_it_would_do_and_does_nothing(
    setup: Any, config: Path, emulator: Emulator
) -> None:
    before = snapshot(config.parent)

    done = setup(*CREATE, "--dry-run")

    assert done.code == 0
    assert snapshot(config.parent) == before
    assert emulator.requests == ()
    assert done.out.splitlines()[:2] == ["[profiles.new]", f'base_url = "{emulator.url}"']
    assert "would create a key with Ed25519 in pem" in done.err
    assert "would register the key as a service-account under the profile 'p'" in done.err


def test_first_profile_of_a_new_file_becomes_the_default_one(
    command: Command, home: Path, key_file: Path
) -> None:
    done = command(
        "setup", "--name", "first", "--backend", "pem", "--existing", "-o", f"path={key_file}",
        "--base-url", "https://api.dfns.io", "--credential-id", "cr-1", "--token-env", "TOKEN",
    )  # fmt: skip

    path = home / ".config" / "dfns-signers" / "config.toml"
    assert str(path) in done.err
    assert 'default_profile = "first"' in path.read_text("utf-8")
    assert mode(path) == 0o600
    assert profile(path, "first")["auth_token"] == {"env": "TOKEN"}


def test_public_key_is_shown_with_what_to_do_where_nobody_registers_it(
    setup: Any, config: Path, key_file: Path
) -> None:
    done = setup("--backend", "pem", "--existing", "-o", f"path={key_file}", *API)

    assert done.code == 2
    assert "-----BEGIN PUBLIC KEY-----" in done.err
    assert "Settings > Developers > Service Accounts" in done.err
    assert "give --register-by PROFILE or --credential-id" in done.err
    assert profile(config)["signer"] == {"backend": "pem", "path": str(key_file)}


def test_token_from_standard_input_goes_into_a_file_that_only_its_owner_reads(
    setup: Any, config: Path, key_file: Path
) -> None:
    setup(
        "--backend", "pem", "--existing", "-o", f"path={key_file}", *API,
        "--credential-id", "cr-1", "--token-stdin", stdin=f"{TOKEN}\n",
    )  # fmt: skip

    file = config.with_name("new.token")
    assert file.read_text("utf-8") == f"{TOKEN}\n"
    assert mode(file) == 0o600
    assert profile(config)["auth_token"] == {"file": "new.token"}


@pytest.mark.parametrize(
    ("arguments", "option"),
    [
        ((), "--backend"),
        (("--backend", "pem"), "--base-url"),
        (("--backend", "pem", *API), "--create or --existing"),
        (("--backend", "pem", *API, "--create"), "--algorithm"),
        (("--backend", "pem", *API, "--create", "--algorithm", "es256"), "-o path=…"),
    ],
)
def test_question_without_a_terminal_is_an_error_that_names_its_option(
    setup: Any, config: Path, arguments: tuple[str, ...], option: str
) -> None:
    before = snapshot(config.parent)

    done = setup(*arguments)

    assert done.code == 2
    assert f"there is nobody to ask: give {option}" in done.err
    assert snapshot(config.parent) == before


@pytest.mark.parametrize(
    "arguments",
    [
        ("--credential-id", "cr-other"),
        ("--token-env", "OTHER"),
        ("--base-url", "https://api.dfns.io"),
        ("--backend", "pem", "--existing", "-o", "path=../other.pem"),
    ],
)
def test_what_the_profile_says_is_replaced_only_on_request_and_a_copy_is_kept(
    setup: Any, config: Path, working_folder: Path, arguments: tuple[str, ...]
) -> None:
    write_key(working_folder.parent, "other.pem")
    before = config.read_bytes()

    refused = setup(*arguments, name="p")

    assert refused.code == 3
    assert "give --replace" in refused.err
    assert config.read_bytes() == before
    setup(*arguments, "--replace", name="p")
    assert config.with_name("config.toml.bak").read_bytes() == before
    assert config.read_bytes() != before


def test_key_of_the_profile_is_kept_where_options_say_the_same(
    setup: Any, config: Path, key_file: Path
) -> None:
    before = snapshot(config.parent)

    done = setup("--backend", "pem", "--existing", "-o", f"path={key_file}", name="p")

    assert done.code == 0
    assert snapshot(config.parent) == before


def test_other_algorithm_than_that_of_the_key_refused(setup: Any) -> None:
    done = setup("--algorithm", "ES256", name="p")

    assert done.code == 3
    assert "has the algorithm Ed25519, not ES256" in done.err


def test_profile_does_not_register_its_own_key(setup: Any, config: Path) -> None:
    config.write_text(config.read_text("utf-8").replace("auth_token", "# auth_token"), "utf-8")

    done = setup("--register-by", "p", name="p")

    assert done.code == 3
    assert "cannot register its own key" in done.err


def test_key_is_registered_only_where_it_is_to_be_used(setup: Any, config: Path) -> None:
    done = setup(*CREATE, "--base-url", "https://api.dfns.io")

    assert done.code == 3
    assert "calls https://api.dfns.io" in done.err
    assert "credential_id" not in profile(config)


def test_two_places_for_the_token_refused(setup: Any) -> None:
    done = setup("--token-env", "A", "--token-stdin")

    assert done.code == 2
