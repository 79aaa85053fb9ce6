"""The key of a profile is rotated: registered, proved, switched to, and the old one retired."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from dfns_signers.emulator import Emulator
from dfns_signers.errors import (
    CredentialNotAllowedError,
)
from dfns_signers.lifecycle.rotated_profile import RotatedProfile
from tests.core.config.support import write_key
from tests.core.keys import private_key, private_pem
from tests.core.lifecycle.driving import FIRST
from tests.core.lifecycle.rotating import STEPS, Rotating
from tests.secrecy import CANARY


def test_profile_signs_with_the_next_key_and_the_old_credential_is_refused(
    folder: Path, emulator: Emulator, way: str
) -> None:
    rotating = Rotating(folder, emulator, way)

    result = rotating()

    rotating.sign()
    with pytest.raises(CredentialNotAllowedError):
        rotating.sign_with_the_first()
    assert rotating.credentials() == {FIRST: False, result.credential_id: True}
    assert rotating.key_files == ["key-2.pem", "key.pem"]
    assert rotating.states == [(step, "done") for step in STEPS]
    assert result.is_complete
    assert result.old_credential_id == FIRST
    assert str(folder / "key.pem") in (result.old_key or "")


def test_file_keeps_order_and_comments_and_has_nothing_left_of_the_rotation(
    rotating: Rotating,
) -> None:
    before = rotating.config.read_text(encoding="utf-8")

    result = rotating()

    after = rotating.config.read_text(encoding="utf-8")
    assert list(rotating.profiles) == ["other", "p"]
    assert after == before.replace(FIRST, result.credential_id).replace(
        'path = "key.pem"', f'path = "{rotating.folder / "key-2.pem"}"'
    )
    assert result.copy is not None
    copied = result.copy.read_text(encoding="utf-8")
    assert f'credential_id = "{FIRST}"' in copied


def test_options_of_the_signer_are_kept_and_its_fingerprint_follows_the_key(
    rotating: Rotating,
) -> None:
    signer = 'backend = "pem"\npath = "key.pem"\nverify = true\nfingerprint = "{}"'
    rotating.write(signer.format(RotatedProfile("p", rotating.config).open_old().fingerprint))
    rotating.sign()

    rotating()

    rotating.sign()
    table = rotating.profiles["p"]["signer"]
    assert table == {
        "backend": "pem",
        "path": str(rotating.folder / "key-2.pem"),
        "verify": True,
        "fingerprint": RotatedProfile("p", rotating.config).open_old().fingerprint,
    }


def test_signer_in_one_line_becomes_a_table(rotating: Rotating) -> None:
    text = rotating.config.read_text(encoding="utf-8").partition("[profiles.p.signer]")[0]
    line = 'signer = "pem:?path=key.pem&verify=true"\n'
    rotating.config.write_text(text + line, encoding="utf-8")

    rotating()

    rotating.sign()
    assert rotating.profiles["p"]["signer"]["verify"] is True


def test_passphrase_of_the_file_opens_the_next_key_too(rotating: Rotating) -> None:
    encrypted = private_pem(private_key("Ed25519"), CANARY.encode())
    (rotating.folder / "key.pem").write_bytes(encrypted)
    rotating.write(f'backend = "pem"\npath = "key.pem"\npassphrase = "{CANARY}"')

    rotating()

    rotating.sign()
    assert b"ENCRYPTED" in (rotating.folder / "key-2.pem").read_bytes()


def test_rotation_can_follow_a_rotation(rotating: Rotating) -> None:
    first, second = rotating(), rotating()

    rotating.sign()
    assert rotating.credentials() == {
        FIRST: False,
        first.credential_id: False,
        second.credential_id: True,
    }


def test_user_action_that_proves_the_new_credential_is_never_used(rotating: Rotating) -> None:
    rotating()

    assert rotating.announced() == [
        "POST /auth/credentials",
        "PUT /auth/credentials/activate",
        "PUT /auth/credentials/deactivate",
    ]
    assert "PUT /auth/credentials/activate" not in rotating.requests()


def test_both_credentials_sign_until_the_deactivation_is_confirmed(
    folder: Path, emulator: Emulator, way: str
) -> None:
    rotating = Rotating(folder, emulator, way)
    asked: list[str] = []

    def refuse(question: str) -> bool:
        asked.append(question)
        return False

    first = rotating(confirm=refuse)

    assert not first.is_complete
    assert rotating.states[-1] == ("deactivate", "waiting")
    assert f"dfns-signers rotate --config {rotating.config} --profile p" in (
        rotating.steps[-1].message
    )
    assert [FIRST in question for question in asked] == [True]
    rotating.sign()
    rotating.sign_with_the_first()
    assert rotating.profiles["p-previous"] == {
        "credential_id": FIRST,
        "signer": {"backend": "pem", "path": "key.pem"},
    }

    second = rotating()

    assert rotating.states == [("deactivate", "done")]
    assert second.is_complete
    assert second.credential_id == first.credential_id
    assert rotating.credentials() == {FIRST: False, first.credential_id: True}
    assert list(rotating.profiles) == ["other", "p"]


def test_old_key_that_is_gone_does_not_keep_its_credential_active(rotating: Rotating) -> None:
    rotating(confirm=lambda _: False)
    (rotating.folder / "key.pem").unlink()

    result = rotating()

    assert result.is_complete
    assert result.old_key is None
    assert rotating.credentials()[FIRST] is False


def test_dry_run_reports_the_steps_and_changes_nothing(
    folder: Path, emulator: Emulator, way: str
) -> None:
    rotating = Rotating(folder, emulator, way)
    before = rotating.config.read_bytes()

    result = rotating(dry_run=True)

    assert rotating.states == [("check", "done"), *((step, "planned") for step in STEPS[1:])]
    assert not result.is_complete
    assert rotating.config.read_bytes() == before
    assert sorted(path.name for path in folder.iterdir()) == ["config.toml", "key.pem"]
    assert set(rotating.requests()) == {"GET /auth/credentials"}


def test_dry_run_of_a_rotation_that_awaits_confirmation_reports_what_is_left(
    rotating: Rotating,
) -> None:
    rotating(confirm=lambda _: False)
    before, credentials = rotating.config.read_bytes(), rotating.credentials()

    rotating(dry_run=True)

    assert rotating.states == [("deactivate", "planned")]
    assert FIRST in rotating.steps[0].message
    assert (rotating.config.read_bytes(), rotating.credentials()) == (before, credentials)


def test_next_key_that_was_made_with_other_tools_is_taken_from_the_file(
    rotating: Rotating,
) -> None:
    write_key(rotating.folder, "made.pem", "RS256")
    text = rotating.config.read_text(encoding="utf-8")
    by_hand = '[profiles.p-next.signer]\nbackend = "pem"\npath = "made.pem"\n'
    rotating.config.write_text(f"{text}\n{by_hand}", encoding="utf-8")

    rotating()

    assert rotating.states[1] == ("create", "found done")
    assert rotating.profiles["p"]["signer"] == {"backend": "pem", "path": "made.pem"}
    rotating.sign()


def test_command_to_go_on_can_be_pasted_whatever_file_and_profile_are_called(
    rotating: Rotating,
) -> None:
    folder = rotating.config.parent / "my files"
    folder.mkdir()
    text = rotating.config.read_text(encoding="utf-8").replace("[profiles.p", "[profiles.'a b'")
    (folder / "config.toml").write_text(text, encoding="utf-8")
    (folder / "config.toml").chmod(0o600)

    command = RotatedProfile("a b", folder / "config.toml").command

    assert shlex.split(command)[2:] == ["--config", str(folder / "config.toml"), "--profile", "a b"]
