"""One request of a procedure that meets a fault, by its number."""

from __future__ import annotations

from typing import Final

from dfns_signers.emulator import Emulator
from tests.support.exchange import Answer, Request
from tests.support.fault_proxy import FaultProxy

LOSING_THE_ANSWER: Final = ("cut_after_effect", "cut_answer", "html")
"""Faults after which a call has had its effect, and its answer does not say so."""

FAULTS: Final = ("refuse", "cut_request", "duplicated_request", *LOSING_THE_ANSWER)


def spoiled(emulator: Emulator, number: int, fault: str) -> FaultProxy:
    """A proxy before the emulator that spoils one request; they count from 0."""

    def plan(request: Request) -> str | None:
        return fault if request.ordinal == number else None

    return FaultProxy(emulator.url, plan, labels=_OneCall(), seed=number)


class _OneCall:
    """Takes all requests for one call, so that they are numbered."""

    def __call__(self, request: Request) -> tuple[str, str]:
        return "", ""

    def learn(self, request: Request, answer: Answer) -> None:
        """There is nothing to know."""
