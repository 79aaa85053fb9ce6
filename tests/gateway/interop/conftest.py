"""Gateways for a module of tests, and a world behind them for each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.gateway.interop.gateway_world import Gateways, GatewayWorld, gateways


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateways]:
    with gateways(tmp_path_factory.mktemp("gateways")) as running:
        yield running


@pytest.fixture
def world(running: Gateways) -> Iterator[GatewayWorld]:
    with running.world() as made:
        yield made
