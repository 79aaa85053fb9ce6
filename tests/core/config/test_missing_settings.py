"""A setting that is missing is asked for, with where to put it."""

from __future__ import annotations

from pathlib import Path

import pytest

from dfns_signers import DelegatedDfnsClient, DfnsClient, load_signer
from dfns_signers.config.loading import load_profile
from dfns_signers.errors import ConfigurationError, KeyNotFoundError, PluginError
from tests.core.config.support import write_config, write_key


@pytest.mark.parametrize(
    ("missing", "variable"), [("signer", "DFNS_SIGNER"), ("credential_id", "DFNS_CREDENTIAL_ID")]
)
def test_signer_without_a_setting_of_the_file_asks_for_it(
    folder: Path, key_file: Path, missing: str, variable: str
) -> None:
    lines = {
        "credential_id": "credential_id = 'Y2kt'",
        "signer": f"signer = 'pem:?path={key_file}'",
    }
    given = next(line for setting, line in lines.items() if setting != missing)
    config = write_config(folder, f"[profiles.p]\n{given}")

    with pytest.raises(ConfigurationError, match=f"'{missing}' is missing") as caught:
        load_signer("p", config=config)

    message = str(caught.value)
    assert message.startswith(f"configuration file {config}, profile 'p': ")
    assert f"set it in the profile, or in the environment variable {variable}" in message


@pytest.mark.parametrize("client", [DfnsClient, DelegatedDfnsClient])
def test_client_without_a_token_asks_for_it(
    folder: Path, client: type[DfnsClient | DelegatedDfnsClient]
) -> None:
    config = write_config(folder, "[profiles.p]\ntimeout = 3")

    with pytest.raises(ConfigurationError, match="'auth_token' is missing") as caught:
        client.from_config("p", config=config)

    assert str(config) in str(caught.value)
    assert "DFNS_AUTH_TOKEN" in str(caught.value)


def test_setting_that_is_missing_without_a_file_names_variable_and_place_of_a_file(
    home: Path,
) -> None:
    with pytest.raises(ConfigurationError, match="'signer' is missing") as caught:
        load_signer()

    assert "DFNS_SIGNER" in str(caught.value)
    assert str(home / ".config" / "dfns-signers" / "config.toml") in str(caught.value)


def test_signer_without_a_backend_says_how_to_list_them(folder: Path) -> None:
    config = write_config(folder, "[profiles.p.signer]\npath = 'k.pem'")

    with pytest.raises(ConfigurationError, match=r"key 'signer\.backend': missing") as caught:
        load_profile("p", config=config)

    assert "dfns-signers backends" in str(caught.value)


@pytest.mark.parametrize(
    "variable",
    [
        "DFNS_BASE_URL",
        "DFNS_AUTH_TOKEN",
        "DFNS_CREDENTIAL_ID",
        "DFNS_SIGNER",
        "DFNS_PLUGINS",
        "DFNS_TIMEOUT",
        "DFNS_MAX_ATTEMPTS",
    ],
)
@pytest.mark.parametrize("content", ["", "  "])
def test_variable_that_is_empty_refused_and_not_taken_for_unset(
    folder: Path, monkeypatch: pytest.MonkeyPatch, variable: str, content: str
) -> None:
    config = write_config(folder, "[profiles.p]\nbase_url = 'https://file.example'")
    monkeypatch.setenv(variable, content)

    with pytest.raises(ConfigurationError, match=f"{variable} is set and empty"):
        load_profile("p", config=config)


@pytest.mark.parametrize(
    ("line", "error", "reason"),
    [
        ("path = 'missing.pem'", KeyNotFoundError, "does not exist"),
        ("env = 'NO_SUCH_KEY'", KeyNotFoundError, "NO_SUCH_KEY is not set"),
        ("pth = 'key.pem'", ConfigurationError, "'pth': unknown"),
        ("backend = 'nosuch'", PluginError, "no plugin 'nosuch'"),
    ],
)
def test_wrong_signer_is_refused_though_another_profile_and_file_have_a_good_one(
    folder: Path, home: Path, line: str, error: type[Exception], reason: str
) -> None:
    good = f"credential_id = 'good'\nsigner = 'pem:?path={write_key(folder)}'\n"
    write_config(home / ".config" / "dfns-signers", f"default_profile = 'g'\n[profiles.g]\n{good}")
    backend = "" if line.startswith("backend") else "backend = 'pem'"
    config = write_config(
        folder,
        f"default_profile = 'g'\n[profiles.g]\n{good}\n"
        f"[profiles.p]\ncredential_id = 'c'\n[profiles.p.signer]\n{backend}\n{line}",
    )

    with pytest.raises(error, match=reason):
        load_signer("p", config=config)
