"""What every test of the lower layers may use."""

from __future__ import annotations

import pytest

from tests.core.keys import ALGORITHMS, private_key, stranger


@pytest.fixture(scope="session", autouse=True)
def _keys_are_made_before_hypothesis_looks_at_the_clock() -> None:
    for algorithm in ALGORITHMS:
        private_key(algorithm)
        stranger(algorithm)
