"""A configuration file that is changed while programs sign with what it says."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from dfns_signers import (
    KeySigner,
)
from dfns_signers.config import followed_profile
from dfns_signers.emulator import Emulator
from tests.core.config.support import (
    write_config,
    write_key,
)
from tests.core.keys import public_key, public_pem

CHALLENGE = {"challenge": "Y2gt", "challengeIdentifier": "eyJ0"}


CREATE: dict[str, Any] = {"network": "EthereumSepolia"}


WAIT = 60


@pytest.fixture(autouse=True)
def every_call_looks_at_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(followed_profile, "LOOK_INTERVAL", 0.0)


@pytest.fixture
def next_key(folder: Path, emulator: Emulator) -> str:
    """The credential of a second key, ``next.pem``, that the emulator knows, too."""
    write_key(folder, "next.pem", "ES256")
    emulator.register(public_pem(public_key("ES256")), credential_id="bmV4dA")
    return "bmV4dA"


def replaced(config: Path, *changes: tuple[str, str]) -> str:
    text = config.read_text(encoding="utf-8")
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    return text


SWITCH = (("Y2kt", "bmV4dA"), ("path=key.pem", "path=next.pem"))


def replace_atomically(config: Path, text: str) -> None:
    write_config(config.parent, text, "config.toml.new").rename(config)


def edit_in_place(config: Path, text: str) -> None:
    config.write_text(text, encoding="utf-8")


def switch(config: Path) -> None:
    replace_atomically(config, replaced(config, *SWITCH))


def signed_with(signer: KeySigner) -> str:
    return signer.sign(CHALLENGE)["credentialAssertion"]["credId"]


def credentials_used(emulator: Emulator) -> list[str]:
    return [
        json.loads(request.body)["firstFactor"]["credentialAssertion"]["credId"]
        for request in emulator.requests
        if request.raw_path == "/auth/action"
    ]
