"""A file that is no configuration is refused with its path, and its line if it has one."""

from __future__ import annotations

from pathlib import Path

import pytest

from dfns_signers.config.loading import load_profile
from dfns_signers.errors import ConfigurationError
from tests.core.config.support import write_config
from tests.secrecy import CANARY


def refusal_of(config: Path) -> str:
    with pytest.raises(ConfigurationError) as caught:
        load_profile("p", config=config)
    assert str(config) in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("[profiles.p\n", "line 1"),
        ("[profiles.p]\ntimeout 30\n", "line 2"),
        ("[profiles.p]\n\n\nauth_token = open\n", "line 4"),
        ("[profiles.p]\ntimeout = 1\ntimeout = 2\n", "line 3"),
    ],
)
def test_file_that_is_no_toml_refused_with_the_line(folder: Path, text: str, place: str) -> None:
    message = refusal_of(write_config(folder, text))

    assert "is not valid TOML" in message
    assert place in message


def test_file_that_is_no_utf8_refused(folder: Path) -> None:
    config = folder / "config.toml"
    config.write_bytes(b"[profiles.p]\nauth_token = '\xff'")

    assert "is not valid TOML" in refusal_of(config)


def test_file_that_begins_with_a_byte_order_mark_is_read(folder: Path) -> None:
    config = folder / "config.toml"
    config.write_text("[profiles.p]\ntimeout = 7", encoding="utf-8-sig")

    assert load_profile("p", config=config).settings.timeout == 7


def test_number_of_thousands_of_digits_refused(folder: Path) -> None:
    assert "is not valid TOML" in refusal_of(
        write_config(folder, f"[profiles.p]\ntimeout = {'1' * 5_000}")
    )


@pytest.mark.usefixtures("without_garbage_collection")
def test_file_that_is_nested_too_deeply_refused(folder: Path) -> None:
    depth = 20_000

    message = refusal_of(write_config(folder, f"x = {'[' * depth}{']' * depth}"))

    assert "nested too deeply" in message or "is not valid TOML" in message


def test_folder_in_place_of_the_file_refused(folder: Path) -> None:
    assert "cannot be read: Is a directory" in refusal_of(folder)


def test_path_through_a_file_refused(folder: Path) -> None:
    config = write_config(folder, "")

    assert "cannot be read: Not a directory" in refusal_of(config / "config.toml")


def test_path_with_a_null_character_refused(folder: Path) -> None:
    assert "cannot be read" in refusal_of(folder / "a\0b")


def test_file_that_cannot_be_read_refused_with_the_reason(folder: Path) -> None:
    loop = folder / "config.toml"
    loop.symlink_to(loop)

    assert "cannot be read: Too many levels of symbolic links" in refusal_of(loop)


def test_file_at_home_in_a_folder_that_cannot_be_read_is_not_passed_over(home: Path) -> None:
    loop = home / ".config" / "dfns-signers"
    loop.parent.mkdir()
    loop.symlink_to(loop)

    with pytest.raises(ConfigurationError, match="cannot be read: Too many levels"):
        load_profile()


@pytest.mark.parametrize(
    ("key", "hint"),
    [
        ("profile", "did you mean 'profiles'?"),
        ("default-profile", "did you mean 'default_profile'?"),
        ("auth_token", "settings belong into a table such as [profiles.production]"),
    ],
)
def test_unknown_key_at_the_top_refused_with_a_hint(folder: Path, key: str, hint: str) -> None:
    message = refusal_of(write_config(folder, f"{key} = '{CANARY}'"))

    assert f"unknown key '{key}'" in message
    assert hint in message
    assert CANARY not in message


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("profiles = 3", "key 'profiles': expected tables such as [profiles.production]"),
        ("profiles = ['p']", "found an array"),
        ("[[profiles]]\nname = 'p'", "found an array"),
        ("[profiles]\np = 'x'", "key 'profiles.p': expected a table, [profiles.p], found a string"),
        ("[profiles]\nq = 1\n[profiles.p]", "key 'profiles.q': expected a table"),
        ("default_profile = 3", "key 'default_profile': expected the name of a profile, found a"),
        ("default_profile = ['p']", "found an array"),
    ],
)
def test_table_of_another_shape_refused_with_its_key(
    folder: Path, text: str, expected: str
) -> None:
    assert expected in refusal_of(write_config(folder, text))
