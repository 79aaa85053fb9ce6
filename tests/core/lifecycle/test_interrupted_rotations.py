"""A rotation that is killed, refused or disturbed at any step goes on, and makes nothing twice."""

from __future__ import annotations

from contextlib import ExitStack, suppress

import pytest

from dfns_signers import DfnsClient
from dfns_signers.errors import (
    ApprovalRequiredError,
    ConfigurationError,
    DfnsSignersError,
)
from dfns_signers.lifecycle import Rotation
from dfns_signers.lifecycle.rotated_profile import RotatedProfile
from dfns_signers.lifecycle.rotation_flow import rotation
from dfns_signers.lifecycle.steps import Flow
from tests.core.lifecycle.driving import FIRST
from tests.core.lifecycle.killing import killed_after_each_step
from tests.core.lifecycle.rotating import STEPS, Rotating, replace_in
from tests.core.lifecycle.spoiling import spoiled

REQUESTS = 13


@pytest.mark.parametrize("confirmed", [True, False])
def test_rotation_killed_after_any_step_goes_on_and_makes_nothing_twice(
    rotating: Rotating, confirmed: bool
) -> None:
    emulator = rotating.emulator

    def begin() -> Flow[Rotation]:
        rotated = RotatedProfile("p", rotating.config)
        old, new = (
            clients.enter_context(DfnsClient(emulator.auth_token, signer, base_url=emulator.url))
            for signer in (rotated.old_signer, rotated.new_signer)
        )
        return rotation(rotated, old, new, lambda _: confirmed, lambda _: None)

    with ExitStack() as clients:
        for steps in killed_after_each_step(begin):
            assert rotating().is_complete

            credentials, current = rotating.credentials(), rotating.profiles["p"]["credential_id"]
            assert [name for name, active in credentials.items() if active] == [current]
            assert len(credentials) == len(rotating.key_files) == steps + 2, f"after {steps} steps"
            assert list(rotating.profiles) == ["other", "p"]
            rotating.sign()
    assert steps > len(STEPS)


@pytest.mark.parametrize("fault", ["refuse", "cut_after_effect", "duplicated_request", "html"])
def test_rotation_that_meets_a_fault_at_any_request_goes_on_and_makes_nothing_twice(
    rotating: Rotating, fault: str
) -> None:
    before = rotating.profiles["p"]["credential_id"]
    met = 0
    for number in range(REQUESTS):
        with spoiled(rotating.emulator, number, fault) as proxy:
            replace_in(rotating.config, rotating.emulator.url, proxy.url)
            with suppress(DfnsSignersError):
                rotating()
            met += proxy.faults[fault]
            replace_in(rotating.config, proxy.url, rotating.emulator.url)
        current = rotating.profiles["p"]["credential_id"]
        if current == before or "p-previous" in rotating.profiles:
            rotating()
        before = rotating.profiles["p"]["credential_id"]

        credentials = rotating.credentials()
        assert [name for name, active in credentials.items() if active] == [before]
        assert len(credentials) == len(rotating.key_files) == number + 2, f"at request {number}"
        rotating.sign()
    assert met > REQUESTS / 2


def test_rotation_sends_so_many_requests(rotating: Rotating) -> None:
    rotating()

    assert len(rotating.requests()) == REQUESTS


def test_rotation_goes_on_though_the_old_credential_was_deactivated_before_the_switch(
    rotating: Rotating, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise ConfigurationError("no room on the disk")

    with monkeypatch.context() as patch:
        patch.setattr(RotatedProfile, "switch", fail)
        with pytest.raises(ConfigurationError, match="no room"):
            rotating()
    rotating.emulator.disable_credential(FIRST)

    assert rotating().is_complete
    rotating.sign()


def test_deactivation_that_needs_approval_is_gone_on_with_later(rotating: Rotating) -> None:
    rotating.emulator.require_approval("PUT", "/auth/credentials/deactivate")

    with pytest.raises(ApprovalRequiredError, match="have it approved"):
        rotating()

    assert rotating.credentials()[FIRST] is True
    assert "p-previous" in rotating.profiles
    rotating.emulator.disable_credential(FIRST)
    assert rotating().is_complete


def test_file_that_somebody_changes_meanwhile_is_left_to_them(rotating: Rotating) -> None:
    """Their change stays, and the next run goes on."""

    def change(_: str) -> bool:
        text = rotating.config.read_text(encoding="utf-8")
        rotating.config.write_text(f"{text}\n# theirs\n", encoding="utf-8")
        return True

    assert rotating(confirm=change).is_complete
    assert "# theirs" in rotating.config.read_text(encoding="utf-8")
