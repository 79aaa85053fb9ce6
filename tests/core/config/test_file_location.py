"""Which file is read: the one that is named, else the one in the home folder, else none."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from dfns_signers.config.loading import load_profile
from dfns_signers.errors import ConfigurationError
from tests.core.config.support import write_config


def config_with(folder: Path, credential_id: str, name: str = "config.toml") -> Path:
    return write_config(
        folder,
        f"""
        default_profile = "p"
        [profiles.p]
        credential_id = "{credential_id}"
        """,
        name,
    )


def credential_id(config: str | os.PathLike[str] | None = None) -> str | None:
    return load_profile(config=config).settings.credential_id


def test_argument_names_the_file(folder: Path) -> None:
    path = config_with(folder, "named")

    assert credential_id(path) == "named"
    assert credential_id(str(path)) == "named"


def test_variable_names_the_file(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DFNS_CONFIG", str(config_with(folder, "by variable")))

    assert credential_id() == "by variable"


def test_argument_counts_more_than_the_variable(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DFNS_CONFIG", str(config_with(folder, "by variable", "a.toml")))

    assert credential_id(config_with(folder, "by argument", "b.toml")) == "by argument"


def test_file_in_the_home_folder_is_read_when_none_is_named(home: Path) -> None:
    config_with(home / ".config" / "dfns-signers", "at home")

    assert credential_id() == "at home"


def test_xdg_folder_counts_instead_of_the_home_folder(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config_with(home / ".config" / "dfns-signers", "at home")
    config_with(tmp_path / "xdg" / "dfns-signers", "by XDG")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "xdg"))

    assert credential_id() == "by XDG"


@pytest.mark.parametrize("relative", ["", ".", "xdg"])
def test_xdg_folder_that_is_relative_does_not_count(
    home: Path, working_folder: Path, monkeypatch: pytest.MonkeyPatch, relative: str
) -> None:
    config_with(home / ".config" / "dfns-signers", "at home")
    config_with(working_folder / relative / "dfns-signers", "planted")
    monkeypatch.setenv("XDG_CONFIG_HOME", relative)

    assert credential_id() == "at home"


@pytest.mark.parametrize(
    "name", ["config.toml", "dfns-signers.toml", ".config/dfns-signers/config.toml"]
)
def test_working_folder_is_not_searched(working_folder: Path, name: str) -> None:
    config_with(working_folder, "planted", name)

    assert credential_id() is None


def test_named_file_is_relative_to_the_working_folder(working_folder: Path) -> None:
    config_with(working_folder, "here", "mine.toml")

    assert credential_id("mine.toml") == "here"


def test_tilde_in_the_name_of_the_file_is_the_home_folder(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config_with(home, "at home", "dfns.toml")

    assert credential_id("~/dfns.toml") == "at home"
    monkeypatch.setenv("DFNS_CONFIG", "~/dfns.toml")
    assert credential_id() == "at home"


@pytest.mark.parametrize("by_variable", [True, False])
def test_named_file_that_is_missing_is_refused_though_there_is_one_at_home(
    home: Path, folder: Path, monkeypatch: pytest.MonkeyPatch, by_variable: bool
) -> None:
    config_with(home / ".config" / "dfns-signers", "at home")
    missing = folder / "missing.toml"
    if by_variable:
        monkeypatch.setenv("DFNS_CONFIG", str(missing))

    with pytest.raises(ConfigurationError, match="no configuration file") as caught:
        credential_id(None if by_variable else missing)

    assert str(missing) in str(caught.value)


def test_variable_that_is_empty_is_refused_though_there_is_a_file_at_home(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config_with(home / ".config" / "dfns-signers", "at home")
    monkeypatch.setenv("DFNS_CONFIG", "")

    with pytest.raises(ConfigurationError, match="unset DFNS_CONFIG"):
        credential_id()


def test_file_at_home_that_is_a_link_to_nowhere_is_not_passed_over(home: Path) -> None:
    path = home / ".config" / "dfns-signers" / "config.toml"
    path.parent.mkdir(parents=True)
    path.symlink_to(home / "moved.toml")

    with pytest.raises(ConfigurationError, match="no configuration file") as caught:
        credential_id()

    assert str(path) in str(caught.value)


def test_home_of_an_unknown_user_is_an_ordinary_name() -> None:
    with pytest.raises(ConfigurationError, match=r"~nobody-by-that-name/c\.toml"):
        credential_id("~nobody-by-that-name/c.toml")
