"""Which profile of the file is used."""

from __future__ import annotations

from pathlib import Path

import pytest

from dfns_signers.config.loading import load_profile
from dfns_signers.errors import ConfigurationError
from tests.core.config.support import write_config

PROFILES = """
    [profiles.production]
    credential_id = "of production"
    [profiles.staging]
    credential_id = "of staging"
    [profiles.laptop]
    credential_id = "of laptop"
"""


@pytest.fixture
def config(folder: Path) -> Path:
    return write_config(folder, 'default_profile = "production"\n' + PROFILES)


@pytest.fixture
def undecided(folder: Path) -> Path:
    return write_config(folder, PROFILES)


def test_default_profile_of_the_file_is_used(config: Path) -> None:
    loaded = load_profile(config=config)

    assert (loaded.name, loaded.settings.credential_id) == ("production", "of production")


def test_variable_overrides_the_default_profile(
    config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DFNS_PROFILE", "staging")

    assert load_profile(config=config).settings.credential_id == "of staging"


def test_argument_overrides_the_variable(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DFNS_PROFILE", "staging")

    assert load_profile("laptop", config=config).settings.credential_id == "of laptop"


def test_file_without_a_default_asks_which_profile_and_lists_them(undecided: Path) -> None:
    with pytest.raises(ConfigurationError, match="no profile was chosen") as caught:
        load_profile(config=undecided)

    for part in (str(undecided), "laptop, production, staging", "--profile", "DFNS_PROFILE"):
        assert part in str(caught.value)


def test_only_profile_of_a_file_is_not_chosen_unasked(folder: Path) -> None:
    path = write_config(folder, "[profiles.p]\ntimeout = 3")

    with pytest.raises(ConfigurationError, match="no profile was chosen"):
        load_profile(config=path)


@pytest.mark.parametrize("source", ["argument", "variable", "file"])
def test_unknown_profile_refused_with_the_near_miss_and_where_it_was_named(
    folder: Path, monkeypatch: pytest.MonkeyPatch, source: str
) -> None:
    named = 'default_profile = "prodution"' if source == "file" else 'default_profile = "staging"'
    config = write_config(folder, f"{named}\n{PROFILES}")
    if source == "variable":
        monkeypatch.setenv("DFNS_PROFILE", "prodution")

    with pytest.raises(ConfigurationError, match="no profile 'prodution'") as caught:
        load_profile("prodution" if source == "argument" else None, config=config)

    message = str(caught.value)
    assert str(config) in message
    assert "did you mean 'production'?" in message
    assert "laptop, production, staging" in message
    assert ("DFNS_PROFILE" in message) == (source == "variable")
    assert ("default_profile" in message) == (source == "file")


def test_unknown_profile_unlike_any_other_gets_no_guess(config: Path) -> None:
    with pytest.raises(ConfigurationError, match="no profile 'xyz'") as caught:
        load_profile("xyz", config=config)

    assert "did you mean" not in str(caught.value)


@pytest.mark.parametrize("by_variable", [True, False])
def test_profile_name_that_is_empty_refused(
    config: Path, monkeypatch: pytest.MonkeyPatch, by_variable: bool
) -> None:
    if by_variable:
        monkeypatch.setenv("DFNS_PROFILE", "")

    with pytest.raises(ConfigurationError, match="name of the profile is empty") as caught:
        load_profile(None if by_variable else "", config=config)

    assert ("DFNS_PROFILE" in str(caught.value)) == by_variable


@pytest.mark.parametrize("by_variable", [True, False])
def test_profile_without_a_file_refused_with_where_to_write_one(
    home: Path, monkeypatch: pytest.MonkeyPatch, by_variable: bool
) -> None:
    monkeypatch.setenv("DFNS_CREDENTIAL_ID", "of the environment")
    if by_variable:
        monkeypatch.setenv("DFNS_PROFILE", "staging")

    with pytest.raises(ConfigurationError, match="profile 'staging'") as caught:
        load_profile(None if by_variable else "staging")

    assert str(home / ".config" / "dfns-signers" / "config.toml") in str(caught.value)
    assert "DFNS_CONFIG" in str(caught.value)


def test_file_without_profiles_refused(folder: Path) -> None:
    with pytest.raises(ConfigurationError, match="profiles are: none"):
        load_profile("p", config=write_config(folder, ""))
