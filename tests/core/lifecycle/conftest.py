from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from dfns_signers import DfnsClient
from dfns_signers.emulator import Emulator
from tests.core.config.machine import folder, site, temporary_folder
from tests.core.keys import public_key, public_pem
from tests.core.lifecycle.driving import FIRST, WAYS, Lifecycle, first_signer
from tests.core.lifecycle.rotating import Rotating

__all__ = ["dfns", "do", "emulator", "folder", "rotating", "site", "temporary_folder", "way"]


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    registered = {FIRST: public_pem(public_key("Ed25519"))}
    with Emulator(exact_payloads=True, credentials=registered) as running:
        yield running


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture
def do(way: str, emulator: Emulator) -> Lifecycle:
    return Lifecycle(way, emulator, emulator.url)


@pytest.fixture
def dfns(emulator: Emulator) -> Iterator[DfnsClient]:
    """A client of the emulator's user, to look and to prepare with."""
    with DfnsClient(emulator.auth_token, first_signer(), base_url=emulator.url) as client:
        yield client


@pytest.fixture
def rotating(folder: Path, emulator: Emulator) -> Rotating:
    return Rotating(folder, emulator)
