"""The key of a profile is rotated: registered, proved, switched to, and the old one retired."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from dfns_signers import AsyncDfnsClient, DfnsClient
from dfns_signers.config import reloading
from dfns_signers.emulator import Emulator
from dfns_signers.errors import (
    ApprovalRequiredError,
    ConfigurationError,
    CredentialNotAllowedError,
    DfnsSignersError,
    RegistrationError,
)
from dfns_signers.lifecycle.rotated_profile import RotatedProfile
from dfns_signers.lifecycle.rotation_flow import rotation
from tests.core.config.support import write_distribution, write_key
from tests.core.lifecycle.driving import FIRST
from tests.core.lifecycle.killing import killed_after_each_step
from tests.core.lifecycle.next_keys import install_backend
from tests.core.lifecycle.rotating import CREATE, Rotating, agree
from tests.core.lifecycle.test_interrupted_credentials import FAULTS, FaultAt, OneCall
from tests.support.fault_proxy import FaultProxy

ALL = ("check", "create", "register", "prove", "switch", "deactivate")


@pytest.fixture
def folder(tmp_path: Path, site: Path) -> Path:
    install_backend(site)
    path = tmp_path / "etc"
    path.mkdir()
    return path


@pytest.fixture
def rotating(folder: Path, emulator: Emulator) -> Rotating:
    return Rotating(folder, emulator)


def test_profile_signs_with_the_next_key_and_the_old_credential_is_refused(
    folder: Path, emulator: Emulator, way: str
) -> None:
    rotating = Rotating(folder, emulator, way)

    result = rotating()

    rotating.sign()
    with pytest.raises(CredentialNotAllowedError):
        rotating.sign_with_the_first()
    assert rotating.credentials() == {FIRST: False, result.credential_id: True}
    assert rotating.key_files == ["key-next.pem", "key.pem"]
    assert rotating.states == [(step, "done") for step in ALL]
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
        'path = "key.pem"', f'path = "{rotating.folder / "key-next.pem"}"'
    )
    assert result.copy is not None
    copied = result.copy.read_text(encoding="utf-8")
    assert f'credential_id = "{FIRST}"' in copied


def test_options_of_the_signer_are_kept_and_its_fingerprint_follows_the_key(
    rotating: Rotating,
) -> None:
    signer = 'backend = "next-keys"\npath = "key.pem"\nretries = 3\nfingerprint = "{}"'
    rotating.write(signer.format(RotatedProfile("p", rotating.config).open_old().fingerprint))
    rotating.sign()

    rotating()

    rotating.sign()
    table = rotating.profiles["p"]["signer"]
    assert table == {
        "backend": "next-keys",
        "path": str(rotating.folder / "key-next.pem"),
        "retries": 3,
        "fingerprint": RotatedProfile("p", rotating.config).open_old().fingerprint,
    }


def test_signer_in_one_line_becomes_a_table(rotating: Rotating) -> None:
    text = rotating.config.read_text(encoding="utf-8").partition("[profiles.p.signer]")[0]
    line = 'signer = "next-keys:?path=key.pem&retries=4"\n'
    rotating.config.write_text(text + line, encoding="utf-8")

    rotating()

    rotating.sign()
    assert rotating.profiles["p"]["signer"]["retries"] == 4


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

    first = rotating(confirm=lambda question: bool(asked.append(question)))

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
        "signer": {"backend": "next-keys", "path": "key.pem"},
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


@pytest.mark.parametrize("confirmed", [True, False])
def test_rotation_killed_after_any_step_goes_on_and_makes_nothing_twice(
    rotating: Rotating, confirmed: bool
) -> None:
    def begin() -> Any:
        rotated = RotatedProfile("p", rotating.config)
        options: dict[str, Any] = {"base_url": emulator.url, "max_attempts": 1}
        old = DfnsClient(emulator.auth_token, rotated.old_signer, **options)
        new = DfnsClient(emulator.auth_token, rotated.new_signer, **options)
        return rotation(rotated, old, new, lambda _: confirmed, lambda _: None)

    emulator = rotating.emulator
    done = 0
    for steps in killed_after_each_step(begin):
        keys, known = rotating.key_files, rotating.credentials()
        while not rotating().is_complete:
            pass
        if not confirmed or ("register", "done") in rotating.states:
            assert set(rotating.key_files) - set(keys) <= {sorted(rotating.key_files, key=len)[-1]}
        active = [name for name, is_active in rotating.credentials().items() if is_active]
        done += 1

        assert active == [rotating.profiles["p"]["credential_id"]], f"killed after {steps}"
        assert set(rotating.profiles) == {"other", "p"}
        assert len(rotating.credentials()) == len(rotating.key_files) == done + 1
        assert len(rotating.credentials()) - len(known) <= 1
        rotating.sign()
    assert done > 15


@pytest.mark.parametrize("fault", FAULTS)
def test_rotation_that_meets_a_fault_at_any_request_goes_on_and_makes_nothing_twice(
    folder: Path, emulator: Emulator, fault: str
) -> None:
    number, hit = 0, True
    while hit:
        with FaultProxy(emulator.url, FaultAt(number, fault), labels=OneCall()) as proxy:
            rotating = Rotating(folder, emulator, url=proxy.url)
            emulator_credentials = rotating.credentials()
            if not emulator_credentials[FIRST]:
                break
            try:
                rotating()
            except DfnsSignersError:
                pass
            hit = proxy.faults[fault] == 1
        rotating.steps.clear()
        text = rotating.config.read_text(encoding="utf-8")
        rotating.config.write_text(text.replace(proxy.url, emulator.url), encoding="utf-8")
        if "p-previous" in rotating.profiles or rotating.profiles["p"]["credential_id"] == FIRST:
            rotating()
        rotating.sign()
        active = [name for name, is_active in rotating.credentials().items() if is_active]
        assert active == [rotating.profiles["p"]["credential_id"]], f"{fault} at {number}"
        number += 1
