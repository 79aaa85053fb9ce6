"""The file that a token goes into: new, its owner's alone, and there before the token is."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from dfns_signers.emulator import Emulator
from dfns_signers.errors import (
    RegistrationError,
)
from dfns_signers.lifecycle.token_file import TokenFile
from dfns_signers.sealed import Sealed
from tests.core.lifecycle.driving import Lifecycle, new_key
from tests.core.lifecycle.identities import PATHS, creations, function, token_file

__all__ = ["function", "token_file"]


@pytest.fixture
def way() -> str:
    """One, for how a flow is driven makes no difference here."""
    return "blocking"


def test_file_with_something_in_it_is_refused_before_anything_is_created(
    do: Lifecycle, emulator: Emulator, function: str, token_file: Path
) -> None:
    token_file.write_text("mine", encoding="utf-8")

    with pytest.raises(RegistrationError, match=f"{token_file} is there already, and not empty"):
        do(function, new_key(), name="robot", token_file=token_file)

    assert token_file.read_text(encoding="utf-8") == "mine"
    assert creations(emulator, function) == 0


def test_file_with_the_token_of_another_one_is_refused(
    do: Lifecycle, function: str, token_file: Path
) -> None:
    other = token_file.with_name("other")
    do(function, new_key(), name="one", token_file=token_file)
    do(function, new_key("ES256K"), name="two", token_file=other)

    with pytest.raises(RegistrationError, match=f"{other} has something else in it"):
        do(function, new_key(), name="one", token_file=other)


@pytest.mark.parametrize("text", ["no-token", "a.b.c", "e30.e30.e30", "e30.W10.e30", "e30.\xff"])
def test_file_with_something_that_is_no_token_of_dfns_is_refused(
    do: Lifecycle, token_file: Path, text: str
) -> None:
    do("register_service_account", new_key(), name="one", token_file=token_file)
    token_file.write_text(text, encoding="utf-8")

    with pytest.raises(RegistrationError, match="has something else in it"):
        do("register_service_account", new_key(), name="one", token_file=token_file)


@pytest.mark.parametrize("place", ["/dev/null", "."])
def test_what_is_no_regular_file_is_refused_and_left_alone(
    do: Lifecycle, emulator: Emulator, place: str
) -> None:
    with pytest.raises(RegistrationError, match="is not a regular file"):
        do("register_service_account", new_key(), name="robot", token_file=place)

    assert Path(place).exists()
    assert creations(emulator, "register_service_account") == 0


def test_link_is_not_followed(do: Lifecycle, token_file: Path) -> None:
    target = token_file.with_name("target")
    target.touch()
    token_file.symlink_to(target)

    with pytest.raises(RegistrationError, match="is not a regular file"):
        do("register_service_account", new_key(), name="robot", token_file=token_file)

    assert target.read_bytes() == b""


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
def test_disk_that_is_full_is_found_out_before_anything_is_created(
    do: Lifecycle, emulator: Emulator, token_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    create = os.open
    monkeypatch.setattr(
        os,
        "open",
        lambda path, flags, *mode: create(
            "/dev/full" if path == token_file else path,
            flags & ~(os.O_CREAT | os.O_EXCL) if path == token_file else flags,
            *mode,
        ),
    )

    with pytest.raises(RegistrationError, match="cannot be created: No space left"):
        do("register_service_account", new_key(), name="robot", token_file=token_file)

    assert creations(emulator, "register_service_account") == 0


def test_file_is_removed_where_the_api_refuses(
    do: Lifecycle, emulator: Emulator, function: str, token_file: Path
) -> None:
    emulator.fail_next("POST", PATHS[function], status=400)

    with pytest.raises(Exception, match="400"):
        do(function, new_key(), name="robot", token_file=token_file)

    assert not token_file.exists()


def test_file_with_a_token_is_not_removed_when_it_is_released(token_file: Path) -> None:
    file = TokenFile(token_file)
    file.reserve()
    file.write(Sealed("token"), "the service account 'robot'")

    file.release()

    assert token_file.read_text(encoding="utf-8") == "token\n"


@pytest.mark.parametrize("is_link", [False, True])
def test_file_that_was_put_in_its_place_gets_no_token(token_file: Path, is_link: bool) -> None:
    file = TokenFile(token_file)
    file.reserve()
    other = token_file.with_name("other")
    other.write_text("theirs", encoding="utf-8")
    token_file.unlink()
    token_file.symlink_to(other) if is_link else other.rename(token_file)

    with pytest.raises(RegistrationError, match=r"replaced meanwhile.* It is in ") as caught:
        file.write(Sealed("token"), "the service account 'robot'")

    assert token_file.read_text(encoding="utf-8") == "theirs"
    rescued = Path(str(caught.value).partition("It is in ")[2].partition(",")[0])
    assert rescued.read_text(encoding="utf-8") == "token\n"
