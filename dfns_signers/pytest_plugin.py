"""pytest fixtures, available wherever dfns-signers is installed.

``dfns_emulator`` is a running local Dfns API (``pip install "dfns-signers[emulator]"``). Override
``dfns_emulator_options`` to start it with other arguments.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from dfns_signers.emulator import Emulator


@pytest.fixture
def dfns_emulator_options() -> dict[str, Any]:
    """Arguments of the Emulator that ``dfns_emulator`` starts."""
    return {}


@pytest.fixture
def dfns_emulator(dfns_emulator_options: dict[str, Any]) -> Iterator[Emulator]:
    """A local Dfns API on a free port, empty and of its own for each test."""
    from dfns_signers.emulator import Emulator  # noqa: PLC0415  # an optional extra

    with Emulator(**dfns_emulator_options) as emulator:
        yield emulator
