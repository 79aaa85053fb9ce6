"""A relative path in the file starts at the file's folder, elsewhere at the working folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from dfns_signers.config.assembly import open_key, validated_options
from dfns_signers.config.loading import load_profile
from tests.core.config.support import write_config, write_key


def opened(**arguments: Any) -> str:
    """What the key that was opened says of itself."""
    with open_key(load_profile(**arguments)) as key:
        return key.reference


def test_key_file_in_the_file_is_relative_to_the_folder_of_the_file(folder: Path) -> None:
    path = write_key(folder, "keys/dfns.pem")
    config = write_config(folder, "[profiles.p.signer]\nbackend = 'pem'\npath = 'keys/dfns.pem'")

    assert opened(profile="p", config=config) == f"file {path}"


def test_key_file_in_the_file_is_relative_to_its_folder_though_the_file_is_named_relatively(
    working_folder: Path,
) -> None:
    write_key(working_folder, "etc/dfns.pem")
    write_config(
        working_folder, "[profiles.p.signer]\nbackend = 'pem'\npath = 'dfns.pem'", "etc/c.toml"
    )

    assert opened(profile="p", config="etc/c.toml") == "file etc/dfns.pem"


def test_key_file_in_a_line_of_the_file_is_relative_to_the_folder_of_the_file(
    folder: Path,
) -> None:
    path = write_key(folder, "dfns.pem")
    config = write_config(folder, "[profiles.p]\nsigner = 'pem:?path=dfns.pem'")

    assert opened(profile="p", config=config) == f"file {path}"


def test_key_file_in_the_variable_is_relative_to_the_working_folder(
    folder: Path, working_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_key(folder, "dfns.pem")
    write_key(working_folder, "dfns.pem")
    config = write_config(folder, "[profiles.p]")
    monkeypatch.setenv("DFNS_SIGNER", "pem:?path=dfns.pem")

    assert opened(profile="p", config=config) == "file dfns.pem"


@pytest.mark.parametrize("path", ["dfns.pem", Path("dfns.pem")], ids=["text", "path"])
def test_key_file_in_an_argument_is_relative_to_the_working_folder(
    folder: Path, working_folder: Path, path: str | Path
) -> None:
    write_key(folder, "dfns.pem")
    write_key(working_folder, "dfns.pem")
    config = write_config(folder, "[profiles.p]")

    assert (
        opened(profile="p", config=config, signer={"backend": "pem", "path": path})
        == "file dfns.pem"
    )


def test_absolute_key_file_in_the_variable_is_opened(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_key(folder)
    monkeypatch.setenv("DFNS_SIGNER", f"pem:?path={path}&verify=true")

    assert opened() == f"file {path}"


@pytest.mark.parametrize("by_variable", [True, False])
def test_tilde_in_a_key_file_is_the_home_folder(
    folder: Path, home: Path, monkeypatch: pytest.MonkeyPatch, by_variable: bool
) -> None:
    path = write_key(home, "keys/dfns.pem")
    line = "pem:?path=~/keys/dfns.pem"
    if by_variable:
        monkeypatch.setenv("DFNS_SIGNER", line)
    config = write_config(folder, "[profiles.p]" + ("" if by_variable else f"\nsigner = '{line}'"))

    assert opened(profile="p", config=config) == f"file {path}"


def test_token_file_in_the_file_is_relative_to_the_folder_of_the_file(folder: Path) -> None:
    (folder / "token").write_text("token beside the file", encoding="utf-8")
    config = write_config(folder, "[profiles.p]\nauth_token = { file = 'token' }")

    token = load_profile("p", config=config).settings.auth_token

    assert token is not None
    assert token.reveal() == "token beside the file"


def test_token_file_in_an_argument_is_relative_to_the_working_folder(
    folder: Path, working_folder: Path
) -> None:
    (folder / "token").write_text("token beside the file", encoding="utf-8")
    (working_folder / "token").write_text("token here", encoding="utf-8")
    config = write_config(folder, "[profiles.p]")

    token = load_profile("p", config=config, auth_token={"file": "token"}).settings.auth_token

    assert token is not None
    assert token.reveal() == "token here"


def test_passphrase_file_in_the_file_is_relative_to_the_folder_of_the_file(folder: Path) -> None:
    (folder / "passphrase").write_text("secret", encoding="utf-8")
    config = write_config(
        folder,
        "[profiles.p.signer]\nbackend = 'pem'\npath = 'k'\npassphrase = { file = 'passphrase' }",
    )

    options: Any = validated_options(load_profile("p", config=config))

    assert options.passphrase.reveal() == "secret"
    assert options.path == folder / "k"
