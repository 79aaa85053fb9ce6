"""Arguments override the environment, which overrides the file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from dfns_signers.config.loading import load_profile
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


ENVIRONMENT = [
    ("DFNS_BASE_URL", "base_url", "https://env.example"),
    ("DFNS_AUTH_TOKEN", "auth_token", "token of the environment"),
    ("DFNS_CREDENTIAL_ID", "credential_id", "credential of the environment"),
]


@pytest.mark.parametrize(("variable", "setting", "text"), ENVIRONMENT)
def test_environment_overrides_the_file(
    config: Path, monkeypatch: pytest.MonkeyPatch, variable: str, setting: str, text: str
) -> None:
    monkeypatch.setenv(variable, text)

    assert value(setting, config) == text
    assert load_profile(config=config).origins[setting] == f"environment variable {variable}"


@pytest.mark.parametrize(("variable", "setting", "text"), ENVIRONMENT)
def test_environment_overrides_one_setting_and_leaves_the_others(
    config: Path, monkeypatch: pytest.MonkeyPatch, variable: str, setting: str, text: str
) -> None:
    monkeypatch.setenv(variable, text)

    others = {name for _, name, _ in ENVIRONMENT if name != setting}

    assert [value(name, config).rpartition(" ")[2] for name in sorted(others - {"base_url"})] == [
        "file"
    ] * len(others - {"base_url"})
    assert load_profile(config=config).origins["timeout"] == (
        f"configuration file {config}, profile 'p'"
    )


@pytest.mark.parametrize(("variable", "setting", "text"), ENVIRONMENT)
def test_argument_overrides_the_environment_and_the_file(
    config: Path, monkeypatch: pytest.MonkeyPatch, variable: str, setting: str, text: str
) -> None:
    monkeypatch.setenv(variable, text)

    assert value(setting, config, **{setting: "https://argument.example"}) == (
        "https://argument.example"
    )


@pytest.mark.parametrize("setting", ["timeout", "max_attempts"])
def test_argument_overrides_a_setting_that_has_no_variable(config: Path, setting: str) -> None:
    assert value(setting, config, **{setting: 9}) == 9


def test_argument_that_is_none_overrides_nothing(config: Path) -> None:
    assert value("credential_id", config, credential_id=None) == "credential of the file"


def test_environment_alone_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable, _, text in ENVIRONMENT:
        monkeypatch.setenv(variable, text)
    monkeypatch.setenv("DFNS_SIGNER", "pem:?env=KEY")

    loaded = load_profile()

    assert loaded.name is None
    assert loaded.signer is not None
    assert (loaded.signer.backend, loaded.signer.options) == ("pem", {"env": "KEY"})
    assert [value(setting, None) for _, setting, _ in ENVIRONMENT] == [
        text for _, _, text in ENVIRONMENT
    ]


def test_signer_of_the_environment_replaces_that_of_the_file_as_a_whole(
    config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DFNS_SIGNER", "aws-kms:?key_id=alias/dfns")

    signer = load_profile(config=config).signer

    assert signer is not None
    assert (signer.backend, signer.options) == ("aws-kms", {"key_id": "alias/dfns"})


@pytest.mark.parametrize(
    "argument",
    [{"backend": "vault-transit", "name": "dfns"}, "vault-transit:?name=dfns"],
    ids=["table", "line"],
)
def test_signer_of_an_argument_replaces_the_others_as_a_whole(
    config: Path, monkeypatch: pytest.MonkeyPatch, argument: object
) -> None:
    monkeypatch.setenv("DFNS_SIGNER", "aws-kms:?key_id=alias/dfns")

    signer = load_profile(config=config, signer=argument).signer

    assert signer is not None
    assert (signer.backend, signer.options) == ("vault-transit", {"name": "dfns"})


def test_token_of_the_environment_that_changes_is_used_at_the_next_call(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("DFNS_AUTH_TOKEN", "old")
    token = load_profile().settings.auth_token
    assert token is not None
    assert token() == "old"

    monkeypatch.setenv("DFNS_AUTH_TOKEN", "new")

    assert token() == "new"
