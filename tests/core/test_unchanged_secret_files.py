"""A file of a secret is read again once it has changed, and not before."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from dfns_signers import secrets
from dfns_signers.errors import ConfigurationError
from dfns_signers.secrets import Secret

OLD, NEW = "old-token", "new-token"


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file that counts as written a minute ago."""
    monkeypatch.setattr(secrets, "time", lambda: time.time() + 60)
    return written(tmp_path / "token", OLD)


def written(path: Path, content: str) -> Path:
    path.write_text(content, encoding="utf-8")
    path.chmod(0o600)
    os.utime(path, (0, 0))
    return path


@pytest.fixture
def secret(path: Path) -> Secret:
    """A secret that has been read once."""
    secret = Secret.from_file(path)
    secret.reveal()
    return secret


def test_unchanged_file_is_not_read_again(secret: Secret, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(secrets, "read_private_file")

    assert not secret.may_block
    assert secret.reveal() == OLD


def test_file_that_was_never_read_may_block(path: Path) -> None:
    assert Secret.from_file(path).may_block


def test_file_of_the_same_size_and_age_that_replaces_it_is_read(path: Path, secret: Secret) -> None:
    written(path.with_name("fresh"), NEW).replace(path)

    assert secret.may_block
    assert secret.reveal() == NEW


def test_file_that_was_written_in_place_is_read_again(path: Path, secret: Secret) -> None:
    before = path.stat().st_ctime_ns
    while path.stat().st_ctime_ns == before:  # until the clock of the file system goes on
        written(path, NEW)

    assert secret.reveal() == NEW


def test_file_that_others_may_write_by_then_is_refused(path: Path, secret: Secret) -> None:
    before = path.stat().st_ctime_ns
    while path.stat().st_ctime_ns == before:
        path.chmod(0o622)

    with pytest.raises(ConfigurationError, match="other users can write"):
        secret.reveal()


def test_file_that_is_removed_is_refused(path: Path, secret: Secret) -> None:
    path.unlink()

    with pytest.raises(ConfigurationError, match="cannot be read"):
        secret.reveal()


def test_file_that_was_just_written_is_read_each_time(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Its clock may be too coarse to tell the next change from this one.
    monkeypatch.setattr(secrets, "time", lambda: path.stat().st_ctime + 1)
    secret = Secret.from_file(path)
    secret.reveal()

    assert secret.may_block


@pytest.mark.parametrize("secret", [Secret.literal("token"), Secret.from_env("TOKEN")])
def test_secret_in_this_process_never_blocks(secret: Secret) -> None:
    assert not secret.may_block
