"""What may go wrong with a request: all faults that a fault proxy knows, by name.

``…_before`` answers in the upstream's place, so that the request has no effect; most others let the
upstream carry it out first.
"""

from __future__ import annotations

from tests.support import broken_connections, odd_answers
from tests.support.fault_kinds import FAULTS

__all__ = ["FAULTS", "QUICK", "SLOW", "broken_connections", "odd_answers"]

SLOW = ("long_drip", "long_103")
"""Faults that take seconds."""

QUICK = tuple(name for name in FAULTS if name not in SLOW)
