"""Fixtures: real stores, which processes share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.redis_servers import PROGRAMS, RedisServer, redis_server


@pytest.fixture(scope="session", params=sorted(PROGRAMS))
def store(request: pytest.FixtureRequest) -> Iterator[RedisServer]:
    """Redis, and Valkey."""
    with redis_server(request.param) as server:
        yield server


@pytest.fixture
def own_store() -> Iterator[RedisServer]:
    """A server that the test may stop."""
    with redis_server("valkey") as server:
        yield server
