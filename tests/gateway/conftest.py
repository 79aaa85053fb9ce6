from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from dfns_signers.emulator import Emulator
from tests.core.client.scripted import ScriptedApi
from tests.gateway.running import LISTEN, PAYMENTS, configuration
from tests.support.stores import own_store, store

__all__ = ["api", "own_store", "store"]


@pytest.fixture
def api() -> Iterator[ScriptedApi]:
    """A server that answers as a test says."""
    with ScriptedApi() as api:
        yield api


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    with Emulator(exact_payloads=True) as emulator:
        yield emulator


@pytest.fixture
def file(emulator: Emulator, tmp_path: Path) -> Path:
    return configuration(tmp_path, emulator, LISTEN + PAYMENTS)
