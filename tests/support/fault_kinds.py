"""The register of faults: functions of the exchange, by their names."""

from __future__ import annotations

from collections.abc import Callable

from tests.support.exchange import Exchange

Fault = Callable[[Exchange], None]

FAULTS: dict[str, Fault] = {}


def fault(function: Fault) -> Fault:
    """Add a fault by its name."""
    FAULTS[function.__name__] = function
    return function
