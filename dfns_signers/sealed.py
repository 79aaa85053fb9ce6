"""Secrets on their way through local variables, which a traceback may show."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, NoReturn, TypeVar

T = TypeVar("T")


class Sealed(Generic[T]):
    """A value that neither ``repr`` nor an attribute shows, nor a pickle or copy takes along.

    Error trackers record the local variables of each frame that an error leaves. A function that is
    given a secret therefore seals it first and deletes its argument, and opens it only within the
    expression that uses it.

    Attributes:
        open: returns the value.
    """

    __slots__ = ("open",)

    def __init__(self, value: T) -> None:
        self.open: Callable[[], T] = lambda: value

    def __repr__(self) -> str:
        return "<Sealed>"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a sealed secret does not pickle: pass the configuration and load it there")
