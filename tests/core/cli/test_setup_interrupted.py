"""``setup``, interrupted before and after each thing it does, and run again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any, Final

import httpx
import pytest

from dfns_signers import DfnsClient
from dfns_signers.backends.pem.plugin import PemBackend
from dfns_signers.config.writing import ConfigEdit
from dfns_signers.emulator import Emulator
from dfns_signers.lifecycle import ProfileSetup
from tests.core.cli.support import Command
from tests.core.config.support import write_client_config

_EFFECTS: Final = (
    (PemBackend, "create"),
    (ConfigEdit, "write"),
    (ProfileSetup, "keep_token"),
    (httpx.Client, "send"),
)


class Power:
    """Goes off before or after an effect, by its number; off with a negative one."""

    def __init__(self) -> None:
        self.left = -1

    def passes(self) -> None:
        self.left -= 1
        if self.left == -1:
            raise KeyboardInterrupt


@pytest.fixture
def power(monkeypatch: pytest.MonkeyPatch) -> Power:
    switch = Power()
    for owner, name in _EFFECTS:
        monkeypatch.setattr(owner, name, _watched(getattr(owner, name), switch))
    return switch


def _watched(effect: Callable[..., Any], power: Power) -> Callable[..., Any]:
    def watched(*arguments: Any, **keywords: Any) -> Any:
        power.passes()
        done = effect(*arguments, **keywords)
        power.passes()
        return done

    return watched


@pytest.fixture
def config(folder: Path, key_file: Path, emulator: Emulator) -> Path:
    return write_client_config(folder, emulator.url, emulator.auth_token)


def interrupted_anywhere(
    command: Command, power: Power, config: Path, *options: str, stdin: str = ""
) -> Iterator[str]:
    """Names of profiles, each set up in two runs, of which the first was interrupted further on."""
    for number in count():
        profile = ProfileSetup(f"p{number}", config=config)
        arguments = ("setup", "--config", config, "--name", profile.profile, *options)
        power.left = number
        assert command(*arguments, stdin=stdin).code == 130
        power.left = -1
        is_complete = not profile.missing
        again = command(*arguments, stdin=stdin)
        if "if it is lost, run this again with --replace" in again.err:
            again = command(*arguments, "--replace", stdin=stdin)
        assert again.code == 0, again.err
        yield profile.profile
        if is_complete:  # what is left is to examine it
            return


def of_name(entries: Any, name: str) -> list[Any]:
    return [entry for entry in entries if entry["name"] == name]


@pytest.mark.parametrize("kind", ["service-account", "token", "credential"])
def test_setup_that_is_interrupted_anywhere_goes_on_and_makes_nothing_twice(
    command: Command, power: Power, config: Path, kind: str
) -> None:
    options = ("--backend", "pem", "--create", "--register-by", "p", "--as", kind, "--yes")

    names = list(interrupted_anywhere(command, power, config, *options))

    assert len(names) >= 10
    with DfnsClient.from_config("p", config=config) as dfns:
        registered = {
            "service-account": [one["userInfo"] for one in dfns.auth.service_accounts.list()],
            "token": list(dfns.auth.personal_access_tokens.list()),
            "credential": list(dfns.auth.credentials.list()),
        }[kind]
    for name in names:
        assert len(of_name(registered, name)) == 1
        assert config.with_name(f"{name}.pem").exists()
    assert not list(config.parent.glob("*-2.*"))


def test_setup_by_hand_that_is_interrupted_anywhere_goes_on(
    command: Command, power: Power, config: Path, emulator: Emulator, key_file: Path
) -> None:
    options = (
        "--backend", "pem", "--existing", "-o", f"path={key_file}", "--base-url", emulator.url,
        "--credential-id", "Y2kt", "--token-stdin",
    )  # fmt: skip

    names = list(interrupted_anywhere(command, power, config, *options, stdin=emulator.auth_token))

    assert len(names) > 5
    for name in names:
        assert ProfileSetup(name, config=config).missing == ()
        assert not config.with_name("config.toml.bak").exists()
