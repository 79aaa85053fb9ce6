"""``config show``: every setting and where it came from, secrets hidden."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.core.cli.support import Command
from tests.core.config.support import write_client_config, write_config, write_distribution
from tests.secrecy import CANARY


@pytest.fixture
def config(folder: Path, key_file: Path) -> Path:
    return write_config(
        folder,
        f"""
        default_profile = "p"
        [profiles.p]
        auth_token = "{CANARY}"
        timeout = 7
        [profiles.p.signer]
        backend = "pem"
        path = "key.pem"
        passphrase = "{CANARY}"
        """,
    )


def settings(command: Command, *arguments: object) -> dict[str, tuple[Any, str]]:
    done = command("config", "show", "--json", *arguments)
    assert (done.code, done.err) == (0, "")
    return {row["setting"]: (row["value"], row["from"]) for row in done.json["settings"]}


def test_each_setting_has_its_value_and_origin(
    command: Command, config: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DFNS_CREDENTIAL_ID", "Y2kt")

    assert settings(command, "--config", config) == {
        "base_url": ("https://api.dfns.io", "default"),
        "auth_token": ("hidden, from a literal string", "file"),
        "credential_id": ("Y2kt", "DFNS_CREDENTIAL_ID"),
        "timeout": (7.0, "file"),
        "call_timeout": (120.0, "default"),
        "max_attempts": (3, "default"),
        "max_retry_after": (30.0, "default"),
        "rate_limit": (None, "default"),
        "rate_limit_fallback": (0.0, "default"),
        "rate_limit_name": (None, "default"),
        "rate_limit_store": (None, "default"),
        "keepalive_expiry": (55.0, "default"),
        "plugins": ([], "default"),
        "read_only": (False, "default"),
        "allow": ([], "default"),
        "audit": (None, "default"),
        "signer.backend": ("pem", "file"),
        "signer.fingerprint": (None, "default"),
        "signer.path": (str(folder / "key.pem"), "file"),
        "signer.env": (None, "default"),
        "signer.passphrase": ("hidden, from a literal string", "file"),
        "signer.verify": (False, "default"),
    }


def test_table_has_the_names_of_rules_and_the_settings_of_tables(
    command: Command, config: Path
) -> None:
    config.write_text(
        config.read_text()
        + """
[profiles.p.audit]
file = "audit.jsonl"
[[profiles.p.allow]]
name = "test wallets"
call = "POST /wallets"
[[profiles.p.allow]]
name = "tags"
call = "PUT /wallets/{walletId}"
"""
    )

    table = command("config", "show", "--config", config).out

    assert "│ test wallets, tags " in table
    assert f"│ file = {config.parent / 'audit.jsonl'}, on_failure = refuse " in table


def test_json_names_the_profile(command: Command, config: Path) -> None:
    assert command("config", "show", "--json", "--config", config).json["profile"] == "p"
    assert command("config", "show", "--json").json["profile"] is None


def test_signer_of_the_environment_says_so(
    command: Command, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DFNS_SIGNER", "pem:?env=KEY&passphrase.env=HOME")

    shown = settings(command, "--config", config)

    assert shown["signer.env"] == ("KEY", "DFNS_SIGNER")
    assert shown["signer.passphrase"][0] == "hidden, from environment variable HOME"


def test_title_names_file_and_profile_or_that_there_is_none(command: Command, config: Path) -> None:
    with_file = command("config", "show", "--config", config).out
    without = command("config", "show").out

    assert with_file.startswith(f"Configuration file {config}, profile 'p'\n")
    assert without.startswith("The environment and arguments\n")


@pytest.mark.parametrize("setting", ["auth_token", "signer.passphrase"])
def test_secret_that_cannot_be_read_says_so_and_where_it_should_be(
    command: Command, folder: Path, setting: str
) -> None:
    config = write_config(
        folder,
        f"""
        default_profile = "p"
        [profiles.p]
        signer.backend = "pem"
        signer.path = "key.pem"
        {setting} = {{ env = "NO_SUCH_SECRET" }}
        """,
    )
    expected = "cannot be read, from environment variable NO_SUCH_SECRET"

    assert settings(command, "--config", config)[setting] == (expected, "file")
    assert f" {expected} " in command("config", "show", "--config", config).out


def test_without_any_configuration_the_defaults_are_shown(command: Command) -> None:
    assert {origin for _, origin in settings(command).values()} == {"default"}


@pytest.mark.parametrize("form", [[], ["--json"]])
def test_no_secret_is_shown(command: Command, config: Path, form: list[str]) -> None:
    done = command("config", "show", "--config", config, *form)

    assert CANARY not in done.out + done.err
    assert "hidden, from a literal string" in done.out


def test_values_that_look_like_markup_are_shown_as_they_are(command: Command, folder: Path) -> None:
    config = write_config(
        folder,
        """
        default_profile = "[/p]"
        [profiles."[/p]"]
        base_url = "https://[fe80::1]:8443"
        signer = { backend = "pem", path = "[bold]key[/old].pem" }
        """,
    )

    done = command("config", "show", "--config", config)

    assert (done.code, done.err) == (0, "")
    for part in ("profile '[/p]'", "https://[fe80::1]:8443", "[bold]key[/old].pem"):
        assert part in done.out


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("base_url = 'http://api.dfns.io'", "use https"),
        ("plugins = ['audit']", "no plugin 'audit'"),
        ("signer = 'pem:?pth=k'", "did you mean 'path'"),
        ("signer = 'pen:?path=k'", "did you mean 'pem'"),
    ],
)
def test_configuration_that_no_command_could_use_ends_with_3(
    command: Command, folder: Path, line: str, reason: str
) -> None:
    config = write_config(folder, f"default_profile = 'p'\n[profiles.p]\n{line}")

    done = command("config", "show", "--config", config)

    assert (done.code, done.out) == (3, "")
    assert reason in done.err


RICH_OPTIONS = """
    from datetime import timedelta
    from pydantic import BaseModel, SecretStr
    from dfns_signers import hookimpl
    from dfns_signers.backends.backend import Backend
    from dfns_signers.backends.options import BackendOptions
    from dfns_signers.secrets import Secret

    class Login(BaseModel):
        name: str
        password: Secret

    class Options(BackendOptions):
        login: Login
        wait: timedelta = timedelta(seconds=90)
        pin: SecretStr
        labels: dict[str, Secret]

    class Hsm(Backend):
        options = Options

        def open(self, options):
            raise NotImplementedError

    @hookimpl
    def dfns_backend():
        return Hsm()
"""


def test_options_of_any_type_are_shown_and_their_secrets_hidden(
    command: Command, folder: Path, site: Path
) -> None:
    write_distribution(site, "acme-hsm", {"acme": RICH_OPTIONS})
    config = write_client_config(folder, "https://api.dfns.io", "token")
    config.write_text(
        config.read_text().replace(
            'signer = "pem:?path=key.pem"',
            f'[profiles.p.signer]\nbackend = "acme"\npin = "{CANARY}"\n'
            f'login = {{ name = "me", password = "{CANARY}" }}\nlabels = {{ a = "{CANARY}" }}',
        ),
        encoding="utf-8",
    )

    shown = settings(command, "--config", config)

    assert {name: value for name, (value, _) in shown.items() if name.startswith("signer.")} == {
        "signer.backend": "acme",
        "signer.fingerprint": None,
        "signer.login": {"name": "me", "password": "hidden, from a literal string"},
        "signer.wait": "0:01:30",
        "signer.pin": "**********",
        "signer.labels": {"a": "hidden, from a literal string"},
    }
