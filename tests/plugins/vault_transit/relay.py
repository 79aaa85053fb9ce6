"""Stands before a real server, and breaks one request off: before it arrives, or after it did."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import count

from tests.core.client.scripted import CUT, Reply, ScriptedApi, Seen
from tests.support.relay import passed_on


@dataclass(frozen=True)
class Cut:
    """The request, counted from 1, whose connection breaks, and whether it has arrived then."""

    number: int
    has_arrived: bool

    def __str__(self) -> str:
        return f"{'after' if self.has_arrived else 'before'} request {self.number}"


CUTS = [Cut(number, has_arrived) for number in (1, 2, 3, 4) for has_arrived in (False, True)]
"""Log in, read the key, change it, read it again."""


class Relay(ScriptedApi):
    """Passes every request on to a server but the one that is to be cut."""

    def __init__(self, address: str, cut: Cut) -> None:
        super().__init__()
        self._address = address
        self._cut = cut
        self._numbers = count(1)

    def reply(self, seen: Seen) -> Reply:
        is_cut = next(self._numbers) == self._cut.number
        if is_cut and not self._cut.has_arrived:
            return CUT
        answer = passed_on(seen, self._address)
        return CUT if is_cut else answer
