"""A clock that tests move, windows of a few seconds, and real servers of the shared limit."""

from __future__ import annotations

import pytest

from tests.support.stores import own_store, store

__all__ = ["anyio_backend", "own_store", "store"]


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name
