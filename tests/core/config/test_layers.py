"""Arguments override the environment, which overrides the file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from dfns_signers.config.loading import load_profile
from dfns_signers.config.profile import Profile, Settings
from dfns_signers.errors import ConfigurationError
from tests.core.config.support import write_config

FILE = """
    default_profile = "p"

    [profiles.p]
    base_url = "https://file.example"
    auth_token = "token of the file"
    credential_id = "credential of the file"
    timeout = 7
    max_attempts = 2
    plugins = ["one", "two"]

    [profiles.p.signer]
    backend = "pem"
    path = "file.pem"
    verify = true
"""


@pytest.fixture
def config(folder: Path) -> Path:
    return write_config(folder, FILE)


def value(setting: str, config: Path | None, **arguments: Any) -> Any:
    found = getattr(load_profile(config=config, **arguments).settings, setting)
    return found.reveal() if setting == "auth_token" else found


@pytest.mark.parametrize(
    ("setting", "expected"),
    [
        ("base_url", "https://file.example"),
        ("auth_token", "token of the file"),
        ("credential_id", "credential of the file"),
        ("timeout", 7.0),
        ("max_attempts", 2),
        ("plugins", ["one", "two"]),
    ],
)
def test_file_overrides_the_default(config: Path, setting: str, expected: object) -> None:
    assert value(setting, config) == expected


@pytest.mark.parametrize(
    ("setting", "expected"),
    [
        ("base_url", "https://api.dfns.io"),
        ("timeout", 30.0),
        ("max_attempts", 3),
        ("plugins", []),
        ("credential_id", None),
        ("signer", None),
    ],
)
def test_setting_that_no_layer_has_is_its_default(setting: str, expected: object) -> None:
    loaded = load_profile()

    assert getattr(loaded.settings, setting) == expected
    assert loaded.name is None
    assert loaded.origins == {}
    assert loaded.origin(setting).short == "default"


ENVIRONMENT = [
    ("DFNS_BASE_URL", "base_url", "https://env.example", "https://env.example"),
    ("DFNS_AUTH_TOKEN", "auth_token", "token of the variable", "token of the variable"),
    ("DFNS_CREDENTIAL_ID", "credential_id", "Y2kt", "Y2kt"),
    ("DFNS_PLUGINS", "plugins", "audit", ["audit"]),
    ("DFNS_PLUGINS", "plugins", "audit, limits", ["audit", "limits"]),
    ("DFNS_TIMEOUT", "timeout", "5", 5.0),
    ("DFNS_TIMEOUT", "timeout", "0.25", 0.25),
    ("DFNS_MAX_ATTEMPTS", "max_attempts", "1", 1),
]
VARIABLES = pytest.mark.parametrize(("variable", "setting", "text", "expected"), ENVIRONMENT)


@VARIABLES
def test_environment_overrides_one_setting_and_leaves_the_others_to_the_file(
    config: Path,
    monkeypatch: pytest.MonkeyPatch,
    variable: str,
    setting: str,
    text: str,
    expected: object,
) -> None:
    monkeypatch.setenv(variable, text)

    origins = load_profile(config=config).origins

    assert value(setting, config) == expected
    assert (origins[setting].short, origins[setting].place) == (
        variable,
        f"environment variable {variable}",
    )
    assert {name for name, origin in origins.items() if origin.short != "file"} == {setting}
    assert {origin.place for origin in origins.values() if origin.short == "file"} == {
        f"configuration file {config}, profile 'p'"
    }


@pytest.mark.parametrize(
    ("setting", "given", "variable", "text"),
    [
        ("base_url", "https://argument.example", "DFNS_BASE_URL", "https://env.example"),
        ("auth_token", "token of the argument", "DFNS_AUTH_TOKEN", "token of the variable"),
        ("credential_id", "Y2ktYXJn", "DFNS_CREDENTIAL_ID", "Y2kt"),
        ("plugins", [], "DFNS_PLUGINS", "audit"),
        ("timeout", 9.0, "DFNS_TIMEOUT", "5"),
        ("max_attempts", 9, "DFNS_MAX_ATTEMPTS", "5"),
    ],
)
def test_argument_overrides_the_environment_and_the_file(
    config: Path,
    monkeypatch: pytest.MonkeyPatch,
    setting: str,
    given: Any,
    variable: str,
    text: str,
) -> None:
    monkeypatch.setenv(variable, text)

    assert value(setting, config, **{setting: given}) == given
    assert load_profile(config=config, **{setting: given}).origin(setting).short == "argument"


def test_arguments_are_typed_as_the_settings_of_a_profile() -> None:
    assert Settings.__annotations__.keys() == Profile.model_fields.keys()
    with pytest.raises(ConfigurationError, match="key 'timout': unknown"):
        load_profile(timout=5)  # type: ignore[call-arg]  # type checkers refuse it too


def test_argument_that_is_none_overrides_nothing(config: Path) -> None:
    assert value("credential_id", config, credential_id=None) == "credential of the file"


def test_environment_alone_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable, _, text, _ in ENVIRONMENT:
        monkeypatch.setenv(variable, text)
    monkeypatch.setenv("DFNS_SIGNER", "pem:?env=KEY")

    loaded = load_profile()

    assert loaded.name is None
    assert loaded.signer is not None
    assert (loaded.signer.backend, loaded.signer.options.open()) == ("pem", {"env": "KEY"})
    assert {setting: value(setting, None) for _, setting, _, _ in ENVIRONMENT} == {
        setting: expected for _, setting, _, expected in ENVIRONMENT
    }


def test_signer_of_the_environment_replaces_that_of_the_file_as_a_whole(
    config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DFNS_SIGNER", "aws-kms:?key_id=alias/dfns")

    signer = load_profile(config=config).signer

    assert signer is not None
    assert (signer.backend, signer.options.open()) == ("aws-kms", {"key_id": "alias/dfns"})


@pytest.mark.parametrize(
    "line_or_table",
    [{"backend": "vault-transit", "name": "dfns"}, "vault-transit:?name=dfns"],
    ids=["table", "line"],
)
def test_signer_of_an_argument_replaces_the_others_as_a_whole(
    config: Path, monkeypatch: pytest.MonkeyPatch, line_or_table: str | dict[str, str]
) -> None:
    monkeypatch.setenv("DFNS_SIGNER", "aws-kms:?key_id=alias/dfns")

    signer = load_profile(config=config, signer=line_or_table).signer

    assert signer is not None
    assert (signer.backend, signer.options.open()) == ("vault-transit", {"name": "dfns"})


def test_token_of_the_environment_that_changes_is_used_at_the_next_call(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("DFNS_AUTH_TOKEN", "old")
    token = load_profile().settings.auth_token
    assert token is not None
    assert token() == "old"

    monkeypatch.setenv("DFNS_AUTH_TOKEN", "new")

    assert token() == "new"
