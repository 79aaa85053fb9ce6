"""A profile that is named wins over the environment, and a token is not sent elsewhere silently."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pytest

from dfns_signers import DfnsClient
from dfns_signers.config.loading import load_profile
from tests.core.config.support import write_config
from tests.core.config.test_layers import FILE, VARIABLES, value

ELSEWHERE = "https://elsewhere.example"


@pytest.fixture
def config(folder: Path) -> Path:
    return write_config(folder, FILE)


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    assert {record.levelno for record in caplog.records} <= {logging.WARNING}
    return [record.getMessage() for record in caplog.records]


@VARIABLES
def test_named_profile_wins_over_a_variable_which_is_said(
    config: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    variable: str,
    setting: str,
    text: str,
    expected: object,
) -> None:
    monkeypatch.setenv(variable, text)

    loaded = load_profile("p", config=config)

    assert loaded.origin(setting).short == "file"
    assert value(setting, config, profile="p") != expected
    assert warnings(caplog)[0] == (
        f"the environment variable {variable} does not count: the profile 'p' was named and sets "
        f"'{setting}'"
    )


def test_signer_of_a_named_profile_wins_over_the_variable(
    config: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("DFNS_SIGNER", "aws-kms:?key_id=alias/dfns")

    signer = load_profile("p", config=config).signer

    assert signer is not None
    assert signer.backend == "pem"
    assert "DFNS_SIGNER does not count" in warnings(caplog)[0]


@VARIABLES
def test_variable_sets_what_the_named_profile_leaves_unset_without_a_word(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    variable: str,
    setting: str,
    text: str,
    expected: object,
) -> None:
    config = write_config(folder, "[profiles.p]")
    monkeypatch.setenv(variable, text)

    assert value(setting, config, profile="p") == expected
    assert warnings(caplog) == []


def test_argument_wins_over_the_named_profile_and_the_variable_without_a_word(
    config: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("DFNS_TIMEOUT", "5")

    assert value("timeout", config, profile="p", timeout=9.0) == 9.0
    assert warnings(caplog) == []


@pytest.mark.parametrize(
    ("variable", "text"), [("DFNS_BASE_URL", "https://file.example"), ("DFNS_TIMEOUT", "7")]
)
def test_variable_that_says_the_same_as_the_named_profile_is_not_warned_of(
    config: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    variable: str,
    text: str,
) -> None:
    monkeypatch.setenv(variable, text)

    load_profile("p", config=config)

    assert warnings(caplog) == []


def test_profile_that_a_variable_names_is_overridden_by_the_others(
    config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DFNS_PROFILE", "p")
    monkeypatch.setenv("DFNS_TIMEOUT", "5")

    assert value("timeout", config) == 5.0


def profile_of(token: str | None, url: str | None) -> str:
    lines = ['default_profile = "p"', "[profiles.p]"]
    lines += [f"auth_token = {token}"] if token else []
    lines += [f'base_url = "{url}"'] if url else []
    return "\n".join(lines)


LITERAL, NAMED, SAME = "'of-the-file'", '{ env = "PRODUCTION" }', '{ env = "DFNS_AUTH_TOKEN" }'
FILE_URL, URL, TOKEN = (
    "https://file.example",
    {"DFNS_BASE_URL": ELSEWHERE},
    {"DFNS_AUTH_TOKEN": "t"},
)


@pytest.mark.parametrize("profile", [None, "p"])
@pytest.mark.parametrize("token", [LITERAL, NAMED])
def test_token_of_the_profile_that_goes_to_the_address_of_a_variable_is_said(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    profile: str | None,
    token: str,
) -> None:
    monkeypatch.setenv("PRODUCTION", "token")
    monkeypatch.setenv("DFNS_BASE_URL", ELSEWHERE)
    config = write_config(folder, profile_of(token, None))

    DfnsClient.from_config(profile, config=config).close()

    (warning,) = warnings(caplog)
    assert warning == (
        f"the token of the configuration file {config}, profile 'p' goes to {ELSEWHERE}, which the "
        "environment variable DFNS_BASE_URL sets: set both in one place, or unset the environment "
        "variable"
    )


MIXED: dict[str, tuple[str, dict[str, str], dict[str, Any]]] = {
    "address of the file, overridden": (profile_of(LITERAL, FILE_URL), URL, {}),
    "token of the file, overridden": (profile_of(LITERAL, FILE_URL), TOKEN, {}),
    "token of the file, overridden, and an argument": (
        profile_of(LITERAL, None), TOKEN, {"base_url": ELSEWHERE},
    ),
    "token of an argument": ("", URL, {"auth_token": "t"}),
}  # fmt: skip
MEANT: dict[str, tuple[str, dict[str, str], dict[str, Any]]] = {
    "file alone": (profile_of(LITERAL, FILE_URL), {}, {}),
    "environment alone": ("", {**URL, **TOKEN}, {}),
    "both overridden": (profile_of(LITERAL, FILE_URL), {**URL, **TOKEN}, {}),
    "file without a token": (profile_of(None, FILE_URL), TOKEN, {}),
    "file without a token, named": (profile_of(None, FILE_URL), TOKEN, {"profile": "p"}),
    "file that names the variable": (profile_of(SAME, FILE_URL), TOKEN, {}),
    "file that names the variable, named": (
        profile_of(SAME, FILE_URL), TOKEN, {"profile": "p"},
    ),
    "file that names another variable": (profile_of(NAMED, FILE_URL), {}, {}),
    "default address": (profile_of(LITERAL, None), TOKEN, {}),
    "argument": (profile_of(LITERAL, FILE_URL), {}, {"base_url": ELSEWHERE}),
    "arguments": (profile_of(LITERAL, FILE_URL), {**URL, **TOKEN}, {
        "base_url": ELSEWHERE, "auth_token": "t",
    }),
}  # fmt: skip


@pytest.mark.parametrize("case", [*MIXED, *MEANT])
def test_token_and_address_from_two_places_are_said_unless_that_was_meant(
    folder: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, case: str
) -> None:
    text, variables, arguments = {**MIXED, **MEANT}[case]
    for name, content in {"PRODUCTION": "token", **variables}.items():
        monkeypatch.setenv(name, content)
    file: dict[str, Any] = {"config": write_config(folder, text)} if text else {}

    DfnsClient.from_config(**file, **arguments).close()

    assert [" goes to " in message for message in warnings(caplog)] == [True] * (case in MIXED)
