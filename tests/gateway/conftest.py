from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.core.client.scripted import ScriptedApi
from tests.support.stores import own_store, store

__all__ = ["api", "own_store", "store"]


@pytest.fixture
def api() -> Iterator[ScriptedApi]:
    """A server that answers as a test says."""
    with ScriptedApi() as api:
        yield api
