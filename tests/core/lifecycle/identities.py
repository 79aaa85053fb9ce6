"""Service accounts and personal access tokens, which are registered alike."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import pytest

from dfns_signers import DfnsClient
from dfns_signers.emulator import Emulator
from tests.core.client.recordings import calls

PATHS: Final = {
    "register_service_account": "/auth/service-accounts",
    "register_token": "/auth/pats",
}


@pytest.fixture(params=PATHS)
def function(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture
def token_file(tmp_path: Path) -> Path:
    return tmp_path / "token"


def creations(emulator: Emulator, function: str) -> int:
    return sum((one.method, one.raw_path) == ("POST", PATHS[function]) for one in calls(emulator))


def listed(dfns: DfnsClient, function: str) -> list[Any]:
    return list(dfns.paginate(PATHS[function]))
