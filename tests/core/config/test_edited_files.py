"""Particular configuration files, edited as a person would have done it."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dfns_signers.config.writing import ConfigEdit, profile_toml

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

SIGNER = {"backend": "pem", "path": "key.pem"}


def edited(text: str, folder: Path, name: str, settings: Mapping[str, Any]) -> str:
    """The file after settings were put."""
    file = folder / "config.toml"
    file.write_text(text, encoding="utf-8")
    file.chmod(0o600)
    edit = ConfigEdit(file)
    edit.put(name, settings)
    return edit.text


def test_added_setting_stands_after_the_last_one_and_before_the_comments_that_follow(
    tmp_path: Path,
) -> None:
    text = "[profiles.p]\ntimeout = 1.0 # s\n\n# about q\n[profiles.q]\ntimeout = 2.0\n"

    after = edited(text, tmp_path, "p", {"credential_id": "c", "signer": SIGNER})

    assert after == (
        '[profiles.p]\ntimeout = 1.0 # s\ncredential_id = "c"\n\n'
        '[profiles.p.signer]\nbackend = "pem"\npath = "key.pem"\n\n'
        "# about q\n[profiles.q]\ntimeout = 2.0\n"
    )


def test_added_setting_stands_before_comments_that_are_on_their_own(tmp_path: Path) -> None:
    text = "[profiles.p]\ntimeout = 1.0\n\n# old = 1\n\n[profiles.q]\n"

    after = edited(text, tmp_path, "p", {"credential_id": "c"})

    assert after == (
        '[profiles.p]\ntimeout = 1.0\ncredential_id = "c"\n\n# old = 1\n\n[profiles.q]\n'
    )


def test_replaced_signer_keeps_its_comments_and_the_options_that_stay(tmp_path: Path) -> None:
    text = (
        '[profiles.p.signer]\nbackend="pem"   # the laptop\n# where it is\npath = "old.pem" # !\n'
        "verify = true\n"
    )

    after = edited(text, tmp_path, "p", {"signer": SIGNER})

    assert after == (
        '[profiles.p.signer]\nbackend="pem"   # the laptop\n# where it is\npath = "key.pem" # !\n'
    )


def test_signer_of_one_line_becomes_a_table(tmp_path: Path) -> None:
    text = '[profiles.p]\nsigner = "pem:?path=old.pem"\ntimeout = 1.0\n'

    after = edited(text, tmp_path, "p", {"signer": SIGNER})

    assert after == (
        '[profiles.p]\ntimeout = 1.0\n\n[profiles.p.signer]\nbackend = "pem"\npath = "key.pem"\n'
    )


def test_tables_within_the_signer_are_replaced_too(tmp_path: Path) -> None:
    text = '[profiles.p.signer]\nbackend = "x"\n[profiles.p.signer.auth]\nmethod = "token"\n'

    after = edited(text, tmp_path, "p", {"signer": {"backend": "x", "auth": {"method": "jwt"}}})

    assert after == '[profiles.p.signer]\nbackend = "x"\nauth = {method = "jwt"}\n'


def test_literal_secret_is_written_as_it_was_given(tmp_path: Path) -> None:
    after = edited("", tmp_path, "p", {"auth_token": "literal", "signer": {**SIGNER, "pin": "1"}})

    assert 'auth_token = "literal"' in after
    assert 'pin = "1"' in after


def test_profile_in_toml_can_be_put_into_a_file() -> None:
    text = profile_toml("with space", {"auth_token": {"env": "T"}, "signer": SIGNER})

    assert text == (
        '[profiles."with space"]\nauth_token = {env = "T"}\n\n'
        '[profiles."with space".signer]\nbackend = "pem"\npath = "key.pem"\n'
    )


def test_empty_table_goes_into_the_inline_table_that_it_is_of(tmp_path: Path) -> None:
    text = "profiles.p = { timeout = 1.0 } # all of it\n"

    after = edited(text, tmp_path, "p", {"signer": {}})

    assert tomllib.loads(after) == {"profiles": {"p": {"timeout": 1.0, "signer": {}}}}
    assert after.endswith(" # all of it\n")
