"""What a backend can say of a key besides opening it: who asks, its state, what is permitted."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from typing import Generic, TypeVar

from dfns_signers.backends.options import BackendOptions

OptionsT = TypeVar("OptionsT", bound=BackendOptions)


class Severity(IntEnum):
    """How bad a finding is."""

    OK = 0
    WARNING = 1
    FAILURE = 2


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check found.

    Attributes:
        check: what was looked at, such as ``key state``.
        severity: whether it is in order.
        message: what was found, with the names of what it is about; no secret.
        remedy: what to do; empty where it is in order.
        seconds: how long it took, where the check asked a server.
    """

    check: str
    severity: Severity
    message: str
    remedy: str = ""
    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Policy:
    """The least that signing with one key needs.

    Attributes:
        kind: what it is for the key store, such as ``IAM policy``.
        text: to be given to the key store as it stands.
    """

    kind: str
    text: str


class DiagnosesKeys(ABC, Generic[OptionsT]):
    """A backend that can examine its keys; inherit it along with Backend."""

    @abstractmethod
    def diagnose(self, options: OptionsT) -> Iterator[Finding]:
        """Examine the way to a key, from the key store to the permission to sign; may block.

        Each finding is yielded as soon as it is there: ``key store`` (it answers, and whom it takes
        the caller for), ``key state`` and ``permissions`` (what opening and signing need, and the
        caller may not do). A failure that makes the rest pointless is the last one. Nothing is
        changed, and no error is raised for what it finds.
        """

    @abstractmethod
    def policy(self, options: OptionsT) -> Policy:
        """The smallest policy for opening exactly this key and signing with it.

        Where a name leads to the key, the key store may be asked for it, within a few seconds; no
        error is raised if it does not answer.
        """
