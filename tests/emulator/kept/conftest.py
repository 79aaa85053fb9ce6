from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.emulator.caller import Caller
from tests.emulator.conftest import calling


@pytest.fixture(scope="module")
def shared() -> Iterator[Caller]:
    with calling() as caller:
        yield caller


@pytest.fixture(scope="module")
def wallet(shared: Caller) -> str:
    identifier: str = shared.create("/wallets", {"network": "Ethereum"})["id"]
    return identifier
