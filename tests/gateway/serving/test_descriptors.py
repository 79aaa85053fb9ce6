"""Descriptors: a gateway has as many as it may, and goes on where there are none left."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

from dfns_signers.emulator import Emulator
from tests.gateway.processes import gateway_process
from tests.gateway.requests.raw_sockets import connection_to
from tests.gateway.running import LISTEN, READER, TOKEN, configuration

FILES = resource.RLIMIT_NOFILE
HEADERS = {"Authorization": f"Bearer {TOKEN}"}


@pytest.fixture
def file(tmp_path: Path) -> Iterator[Path]:
    with Emulator() as emulator:
        yield configuration(tmp_path, emulator, LISTEN + READER)


def test_gateway_has_as_many_descriptors_as_the_system_permits(file: Path) -> None:
    usual, most = resource.getrlimit(FILES)
    resource.setrlimit(FILES, (most // 2, most))
    try:
        with gateway_process(file) as gateway:
            assert resource.prlimit(gateway.process.pid, FILES) == (most, most)
    finally:
        resource.setrlimit(FILES, (usual, most))


def test_caller_is_served_although_idle_connections_take_all_descriptors(file: Path) -> None:
    with gateway_process(file) as gateway, ExitStack() as idle:
        resource.prlimit(gateway.process.pid, FILES, (40, 40))
        for _ in range(200):
            idle.enter_context(connection_to(gateway.urls[0]))

        # If one after the other made room, at ten a second, it would take a quarter of a minute.
        answer = httpx.get(
            f"{gateway.urls[0]}/wallets", headers=HEADERS, timeout=10, trust_env=False
        )

        assert answer.status_code == 200
        assert len(gateway.logged("no connection can be accepted")) <= 10
