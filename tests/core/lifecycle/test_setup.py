"""A profile that is completed step by step, from Python."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import anyio
import pytest

from dfns_signers import AsyncDfnsClient, DfnsClient
from dfns_signers.backends.pem.plugin import PemBackend
from dfns_signers.config.loading import load_profile
from dfns_signers.emulator import FULL_ACCESS, Emulator
from dfns_signers.errors import ConfigurationError
from dfns_signers.lifecycle import ProfileSetup, Registration
from dfns_signers.sealed import Sealed
from tests.core.config.support import write_key
from tests.core.lifecycle.driving import first_signer
from tests.secrecy import CANARY

TOKEN = f"token-{CANARY}"
KINDS = ("service-account", "token", "credential")


@pytest.fixture
def profile(tmp_path: Path, emulator: Emulator) -> ProfileSetup:
    """A profile that has a key, and lacks credential and token."""
    write_key(tmp_path, algorithm="ES256")
    found = ProfileSetup("new", config=tmp_path / "config.toml")
    found.put({"base_url": emulator.url, "signer": {"backend": "pem", "path": "key.pem"}})
    return found


def registered(way: str, profile: ProfileSetup, emulator: Emulator, **options: Any) -> Registration:
    signer, token = first_signer(), emulator.auth_token
    with profile.open_key() as key:
        if way == "blocking":
            with DfnsClient(token, signer, base_url=emulator.url) as dfns:
                return profile.register(key, dfns, **options)

        async def main() -> Registration:
            async with AsyncDfnsClient(token, signer, base_url=emulator.url) as dfns:
                return await profile.aregister(key, dfns, **options)

        return anyio.run(main, backend=way)


def test_each_step_takes_from_what_is_missing(tmp_path: Path) -> None:
    profile = ProfileSetup("new", config=tmp_path / "config.toml")
    seen = [profile.missing]
    for settings in ({"signer": {"backend": "pem"}}, {"credential_id": "c"}):
        profile.put(settings)
        seen.append(profile.missing)

    assert seen == [
        ("signer", "credential_id", "auth_token"),
        ("credential_id", "auth_token"),
        ("auth_token",),
    ]


@pytest.mark.parametrize("kind", KINDS)
def test_registered_key_makes_the_profile_complete(
    way: str, profile: ProfileSetup, emulator: Emulator, kind: str
) -> None:
    done = registered(
        way, profile, emulator, kind=kind, token=emulator.auth_token, permission_id=FULL_ACCESS
    )

    assert (done.kind, done.is_new, profile.missing) == (kind, True, ())
    with DfnsClient.from_config("new", config=profile.config) as dfns:
        assert dfns.wallets.create(network="EthereumSepolia")["status"] == "Active"


@pytest.mark.parametrize("kind", KINDS)
def test_key_that_is_registered_is_found(
    way: str, profile: ProfileSetup, emulator: Emulator, kind: str
) -> None:
    first = registered(way, profile, emulator, kind=kind, token="t")
    again = registered(way, profile, emulator, kind=kind, token="t")

    assert (again.is_new, again.credential_id) == (False, first.credential_id)


def test_settings_of_another_value_stay_unless_they_are_replaced(profile: ProfileSetup) -> None:
    before = profile.config.read_bytes()

    with pytest.raises(ConfigurationError, match="another 'base_url' is there already"):
        profile.put({"base_url": "https://api.dfns.io"})
    assert profile.config.read_bytes() == before
    copy = profile.put({"base_url": "https://api.dfns.io"}, replace=True)

    assert copy is not None
    assert copy.read_bytes() == before
    assert profile.loaded().settings.base_url == "https://api.dfns.io"


def test_settings_that_are_there_make_no_copy(profile: ProfileSetup) -> None:
    settings = dict(profile.settings.open())

    assert profile.put(settings, replace=True) is None


def test_other_complete_profiles_are_those_that_may_register(profile: ProfileSetup) -> None:
    whole = ProfileSetup("whole", config=profile.config)
    whole.put({"signer": {"backend": "pem"}, "credential_id": "c", "auth_token": {"env": "T"}})

    assert (profile.others, whole.others) == (("whole",), ())


def test_token_is_kept_once_and_never_over_another_one(profile: ProfileSetup) -> None:
    for _ in range(2):
        profile.keep_token(Sealed(TOKEN))

    with pytest.raises(ConfigurationError, match="with another token, and was left as it is"):
        profile.keep_token(Sealed(f"{TOKEN}2"))

    assert profile.token_file.read_text("utf-8") == f"{TOKEN}\n"


def test_token_is_found_through_a_link_to_the_configuration(
    profile: ProfileSetup, tmp_path: Path
) -> None:
    (tmp_path / "linked").mkdir()
    link = tmp_path / "linked" / "config.toml"
    link.symlink_to(profile.config)
    linked = ProfileSetup("new", config=link)

    linked.keep_token(Sealed(TOKEN))
    linked.put({"auth_token": linked.own_token})

    token = load_profile("new", config=link).settings.auth_token
    assert token is not None
    assert token.reveal() == TOKEN
    assert link.is_symlink()


@pytest.mark.parametrize("text", ["", "two words", "line\nline"])
def test_what_cannot_be_a_token_is_not_written(profile: ProfileSetup, text: str) -> None:
    with pytest.raises(ConfigurationError, match="the auth token is"):
        profile.keep_token(Sealed(text))

    assert not profile.token_file.exists()


def test_token_of_another_profile_is_taken_as_it_is_configured(
    profile: ProfileSetup, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DFNS_AUTH_TOKEN", TOKEN)
    named, unnamed = (ProfileSetup(name, config=profile.config) for name in ("named", "unnamed"))
    named.put({"auth_token": {"env": "OTHER"}})
    unnamed.put({"credential_id": "c"})

    assert profile.token_of(named.loaded()) == {"env": "OTHER"}
    assert profile.token_of(unnamed.loaded()) == {"env": "DFNS_AUTH_TOKEN"}


def test_profile_without_a_name_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="name of the profile is empty"):
        ProfileSetup("", config=tmp_path / "config.toml")


@pytest.mark.parametrize("name", ["team/prod", "..\\prod", "../../prod", "nul\0", ".."])
def test_files_of_a_profile_are_beside_the_configuration_whatever_it_is_called(
    tmp_path: Path, name: str
) -> None:
    profile = ProfileSetup(name, config=tmp_path / "config.toml")

    profile.keep_token(Sealed("a.b.c"))
    suggested = PemBackend().suggestions(name, tmp_path)["path"]

    assert profile.token_file.parent == Path(suggested or "").parent == tmp_path
    assert profile.token_file.read_text(encoding="utf-8") == "a.b.c\n"
