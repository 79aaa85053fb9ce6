from __future__ import annotations

from collections.abc import Iterator

import pytest

from dfns_signers.emulator import Emulator
from tests.emulator.caller import Caller
from tests.emulator.keys import PrivateKey, pem, private_key


class Clock:
    """A clock that stands still until it is put forward."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def key() -> PrivateKey:
    return private_key("ed25519")


@pytest.fixture
def emulator(clock: Clock, key: PrivateKey) -> Iterator[Emulator]:
    with Emulator(credentials={"cr-first": pem(key)}, clock=clock) as running:
        yield running


@pytest.fixture
def caller(emulator: Emulator, key: PrivateKey) -> Iterator[Caller]:
    with Caller(emulator.url, emulator.auth_token, "cr-first", key) as calling:
        yield calling


@pytest.fixture
def stranger(emulator: Emulator) -> Iterator[Caller]:
    """Another user of the same emulator, with a credential of its own."""
    other = private_key("p256", 99)
    identity = emulator.add_identity("stranger", credentials={"cr-stranger": pem(other)})
    with Caller(emulator.url, identity.token, "cr-stranger", other) as calling:
        yield calling
