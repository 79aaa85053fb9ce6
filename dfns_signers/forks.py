"""What a forked child process must not share with its parent."""

from __future__ import annotations

import os
import weakref
from typing import Final, Protocol


class Inherited(Protocol):
    """Something that a forked child inherits, and cannot use as it is."""

    def after_fork(self) -> None:
        """Runs in the child, right after the fork, in its only thread; must not wait for a lock."""


# By identity: equal keys are two, and not every key has a hash.
_inherited: Final[weakref.WeakValueDictionary[int, Inherited]] = weakref.WeakValueDictionary()


def watch(thing: Inherited) -> None:
    """Have ``after_fork`` called in every child that is forked from now on."""
    _inherited[id(thing)] = thing


class Use:
    """Whether something was used before the fork that made this process."""

    def __init__(self) -> None:
        self.is_inherited = False
        self._is_used = False
        watch(self)

    def note(self) -> None:
        """It is used."""
        self._is_used = True

    def after_fork(self) -> None:
        """A child inherits what was used."""
        self.is_inherited = self._is_used


def _after_fork() -> None:
    for thing in list(_inherited.values()):
        thing.after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
