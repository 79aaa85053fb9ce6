"""A configuration of two profiles: ``p``, whose credential signs, and ``next``, a key alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import tomlkit

from dfns_signers.emulator import Emulator
from tests.core.cli.support import Command
from tests.core.client.recordings import calls
from tests.core.config.support import write_client_config, write_key


@pytest.fixture
def config(folder: Path, key_file: Path, emulator: Emulator) -> Path:
    write_key(folder, "next.pem", "ES256")
    lines = ("", "# the key to come", "[profiles.next]", 'signer = "pem:?path=next.pem"')
    return write_client_config(folder, emulator.url, emulator.auth_token, *lines)


def profile(config: Path, name: str = "next") -> Any:
    """What the file says of a profile."""
    return tomlkit.parse(config.read_text(encoding="utf-8")).unwrap()["profiles"][name]


def creations(emulator: Emulator, path: str) -> int:
    return sum((one.method, one.raw_path) == ("POST", path) for one in calls(emulator))


def signs(command: Command, config: Path, name: str = "next") -> bool:
    """Whether a profile is complete and works."""
    body = ("--json", '{"network": "Bitcoin"}')
    done = command("request", "POST", "/wallets", *body, "--config", config, "--profile", name)
    return done.code == 0
