"""The key of a profile is rotated: registered, proved, switched to, and the old one retired."""

from __future__ import annotations

import asyncio
import json
import shlex
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

from dfns_signers import AsyncDfnsClient, DfnsClient, lifecycle
from dfns_signers.config import reloading
from dfns_signers.config.writing import ConfigEdit
from dfns_signers.emulator import Emulator
from dfns_signers.errors import (
    ApprovalRequiredError,
    ConfigurationError,
    CredentialNotAllowedError,
    DfnsSignersError,
    RegistrationError,
)
from dfns_signers.lifecycle import Rotation
from dfns_signers.lifecycle.rotated_profile import RotatedProfile
from dfns_signers.lifecycle.rotation_flow import rotation
from dfns_signers.lifecycle.steps import Flow
from dfns_signers.sealed import Sealed
from tests.core.config.support import write_distribution, write_key
from tests.core.keys import private_key, private_pem
from tests.core.lifecycle.driving import FIRST
from tests.core.lifecycle.killing import killed_after_each_step
from tests.core.lifecycle.rotating import CREATE, Rotating, agree
from tests.core.lifecycle.spoiling import spoiled
from tests.secrecy import CANARY

REQUESTS = 13
ALL = ("check", "create", "register", "prove", "switch", "deactivate")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
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
    assert rotating.key_files == ["key-2.pem", "key.pem"]
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
    assert steps > len(ALL)


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


def replace_in(file: Path, old: str, new: str) -> None:
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new), encoding="utf-8")


def test_dry_run_reports_the_steps_and_changes_nothing(
    folder: Path, emulator: Emulator, way: str
) -> None:
    rotating = Rotating(folder, emulator, way)
    before = rotating.config.read_bytes()

    result = rotating(dry_run=True)

    assert rotating.states == [("check", "done"), *((step, "planned") for step in ALL[1:])]
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


def test_client_that_reloads_loses_no_call_of_its_threads_to_the_rotation(
    rotating: Rotating, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reloading, "LOOK_INTERVAL", 0.0)
    stop, calls = threading.Event(), []

    with DfnsClient.from_config("p", config=rotating.config, reload=True) as dfns:

        def call() -> None:
            while not stop.is_set():
                calls.append(dfns.wallets.create(**CREATE)["id"])

        with ThreadPoolExecutor(4) as pool:
            running = [pool.submit(call) for _ in range(4)]
            try:
                rotating(confirm=lambda _: dfns.wallets.create(**CREATE) is not None)
                used = len(calls)
                while len(calls) < used + 8 and not any(one.done() for one in running):
                    pass
            finally:
                stop.set()
            for one in running:
                one.result()

    assert credentials_used(rotating)[-1] == rotating.profiles["p"]["credential_id"]
    assert credentials_used(rotating)[0] == FIRST


def test_client_that_reloads_loses_no_call_of_its_tasks_to_the_rotation(
    rotating: Rotating, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reloading, "LOOK_INTERVAL", 0.0)

    async def main() -> None:
        is_over = False

        async def call() -> None:
            while not is_over:
                await dfns.wallets.create(**CREATE)

        async with AsyncDfnsClient.from_config("p", config=rotating.config, reload=True) as dfns:
            calls = [asyncio.create_task(call()) for _ in range(4)]
            await dfns.wallets.create(**CREATE)
            await lifecycle.arotate("p", config=rotating.config)
            await dfns.wallets.create(**CREATE)
            is_over = True
            await asyncio.gather(*calls)
            await lifecycle.arotate("p", config=rotating.config, confirm=agree)
            await dfns.wallets.create(**CREATE)

    asyncio.run(main())

    assert credentials_used(rotating)[0] == FIRST
    assert credentials_used(rotating)[-1] == rotating.profiles["p"]["credential_id"]


def credentials_used(rotating: Rotating) -> list[str]:
    """Of the calls and of the rotation itself."""
    return [
        json.loads(one.body)["firstFactor"]["credentialAssertion"]["credId"]
        for one in rotating.emulator.requests
        if one.raw_path == "/auth/action"
    ]


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
