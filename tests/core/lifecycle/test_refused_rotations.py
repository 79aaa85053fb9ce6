"""What a rotation does not begin with, or does not go on from."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from dfns_signers import lifecycle
from dfns_signers.config.writing import ConfigEdit
from dfns_signers.errors import (
    ConfigurationError,
    PolicyRefusedError,
    RegistrationError,
)
from dfns_signers.lifecycle.rotated_profile import RotatedProfile
from dfns_signers.sealed import Sealed
from tests.core.config.support import write_distribution, write_key
from tests.core.lifecycle.driving import FIRST
from tests.core.lifecycle.rotating import Rotating, replace_in


def test_backend_that_makes_no_keys_is_refused_with_the_way_to_go_on(
    rotating: Rotating, site: Path
) -> None:
    source = """
        from dfns_signers import PemKey, hookimpl
        from dfns_signers.plugin import Backend, BackendOptions, ConfigPath

        class Options(BackendOptions):
            path: ConfigPath

        class Opens(Backend[Options]):
            options = Options

            def open(self, options):
                return PemKey.from_file(options.path)

        @hookimpl
        def dfns_backend():
            return Opens()
    """
    write_distribution(site, "opens", {"opens": source})
    rotating.write('backend = "opens"\npath = "key.pem"')

    with pytest.raises(ConfigurationError, match=r"\[profiles\.p-next\.signer\]"):
        rotating()


@pytest.mark.parametrize("variable", ["DFNS_SIGNER", "DFNS_CREDENTIAL_ID"])
def test_profile_that_a_variable_overrides_is_refused(
    rotating: Rotating, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.setenv("DFNS_SIGNER", "pem:?path=elsewhere.pem")
    monkeypatch.setenv("DFNS_CREDENTIAL_ID", "elsewhere")
    for other in {"DFNS_SIGNER", "DFNS_CREDENTIAL_ID"} - {variable}:
        monkeypatch.delenv(other)

    with pytest.raises(ConfigurationError, match=f"environment variable {variable}.*unset it"):
        lifecycle.rotate(config=rotating.config)


def test_rotation_without_a_file_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DFNS_SIGNER", "pem:?path=elsewhere.pem")
    monkeypatch.setenv("DFNS_CREDENTIAL_ID", "elsewhere")
    monkeypatch.setenv("HOME", "/nowhere")

    with pytest.raises(ConfigurationError, match="no configuration file"):
        lifecycle.rotate()


@pytest.mark.parametrize("name", ["p-next", "p-previous"])
def test_profile_of_the_user_with_a_name_of_the_rotation_is_left_alone(
    rotating: Rotating, name: str
) -> None:
    rotating.write(more=f'[profiles.{name}]\nbase_url = "http://127.0.0.1:1"\n[profiles.p]')
    text = rotating.config.read_text(encoding="utf-8").replace("\n[profiles.p]\n[", "\n[")
    rotating.config.write_text(text, encoding="utf-8")

    with pytest.raises(ConfigurationError, match=r"'base_url'.*rename it"):
        rotating()


def test_remainder_of_a_rotation_without_its_credential_is_refused(rotating: Rotating) -> None:
    text = rotating.config.read_text(encoding="utf-8")
    remainder = '[profiles.p-previous.signer]\nbackend = "pem"\npath = "key.pem"\n'
    rotating.config.write_text(f"{text}\n{remainder}", encoding="utf-8")

    with pytest.raises(ConfigurationError, match=r"has no 'credential_id'.*rename it"):
        rotating()


def test_no_key_is_created_where_the_file_cannot_be_written(
    rotating: Rotating, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.access", lambda path, mode: path != rotating.folder)

    with pytest.raises(ConfigurationError, match="not writable"):
        rotating()
    assert rotating.key_files == ["key.pem"]


def test_credential_that_is_not_active_is_refused(rotating: Rotating) -> None:
    rotating.emulator.disable_credential(FIRST)

    with pytest.raises(RegistrationError, match="it is deactivated"):
        rotating()
    assert rotating.key_files == ["key.pem"]


def test_credential_of_another_key_is_refused(rotating: Rotating) -> None:
    write_key(rotating.folder, algorithm="ES256")

    with pytest.raises(RegistrationError, match="another public key than"):
        rotating()
    assert rotating.key_files == ["key.pem"]


def test_credential_that_the_identity_does_not_have_is_refused(rotating: Rotating) -> None:
    replace_in(rotating.config, FIRST, "unknown")

    with pytest.raises(RegistrationError, match="no such credential"):
        rotating()


def test_new_credential_that_was_deactivated_keeps_the_old_one_active(rotating: Rotating) -> None:
    result = rotating(confirm=lambda _: False)
    rotating.emulator.disable_credential(result.credential_id)

    with pytest.raises(RegistrationError, match="Nothing was deactivated"):
        rotating()
    assert rotating.credentials()[FIRST] is True


def test_next_key_of_another_rotation_under_way_is_not_written_over(rotating: Rotating) -> None:
    with (
        RotatedProfile("p", rotating.config) as ours,
        RotatedProfile("p", rotating.config) as theirs,
    ):
        theirs.write_next(Sealed(theirs.create_next()))
        before = rotating.config.read_bytes()

        with pytest.raises(ConfigurationError, match="another rotation of 'p' is under way"):
            ours.write_next(Sealed(ours.create_next()))

    assert rotating.config.read_bytes() == before


def test_profile_that_another_rotation_has_switched_is_left_as_it_is(rotating: Rotating) -> None:
    with RotatedProfile("p", rotating.config) as first:
        first.write_next(Sealed(first.create_next()))
    with (
        RotatedProfile("p", rotating.config) as ours,
        RotatedProfile("p", rotating.config) as theirs,
    ):
        key = ours.open_new()
        theirs.switch(theirs.open_new())
        before = rotating.config.read_bytes()

        with pytest.raises(ConfigurationError, match="another rotation of 'p' is under way"):
            ours.write_credential_id()
        with pytest.raises(ConfigurationError, match="another rotation of 'p' is under way"):
            ours.switch(key)

    assert rotating.config.read_bytes() == before


def test_only_the_credential_that_the_profile_takes_is_switched_to(rotating: Rotating) -> None:
    with RotatedProfile("p", rotating.config) as ours:
        ours.write_next(Sealed(ours.create_next()))
        edit = ConfigEdit(rotating.config)
        edit.put("p-next", {"credential_id": "cr-of-another-rotation"})
        edit.write()

        with pytest.raises(ConfigurationError, match="another rotation of 'p' is under way"):
            ours.switch(ours.open_new())


RULE = """
[[profiles.p.allow]]
name = "{name}"
call = "{call}"
escalates = true
members = "any"
"""
REGISTER = RULE.format(name="register", call="POST /auth/credentials")
PROVE = RULE.format(name="prove", call="PUT /auth/credentials/activate")
RETIRE = RULE.format(name="retire", call="PUT /auth/credentials/deactivate")


@pytest.mark.parametrize(
    ("rules", "said"),
    [
        (PROVE, 'call = "POST /auth/credentials", with escalates = true'),
        (REGISTER, 'call = "PUT /auth/credentials/activate", with escalates = true'),
        ("read_only = true" + REGISTER + PROVE, "it is read-only"),
    ],
)
def test_rotation_that_the_rules_do_not_allow_makes_no_key(
    rotating: Rotating, rules: str, said: str
) -> None:
    rotating.write(more=rules)

    with pytest.raises(PolicyRefusedError, match=re.escape(said)):
        rotating()

    assert rotating.steps == []
    assert "p-next" not in ConfigEdit(rotating.config).profiles


def test_rotation_is_complete_with_the_rules_that_it_needs(rotating: Rotating) -> None:
    rotating.write(more=REGISTER + PROVE + RETIRE)

    assert rotating().is_complete
