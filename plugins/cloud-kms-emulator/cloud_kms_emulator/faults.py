"""Faults to come: a queue of delays, refusals and damaged bytes."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import grpc

_SIDES: Final = ("request", "response")


@dataclass(frozen=True, slots=True)
class Fault:
    """What goes wrong with one call.

    Attributes:
        method: the call, such as ``AsymmetricSign``.
        delay: seconds before it is handled.
        status: name of the gRPC status that it ends with, such as ``UNAVAILABLE``; nothing is
            done then.
        message: message of that status.
        corrupt: field that is damaged on its way, such as ``response.signature`` or
            ``request.data``: a bit of bytes, a character of a string, a bit of a number, or a
            flag turned over.

    Raises:
        ValueError: it would do nothing, or names no status or side.
    """

    method: str
    delay: float = 0.0
    status: str | None = None
    message: str = "a fault was queued"
    corrupt: str | None = None

    def __post_init__(self) -> None:
        if not (self.delay or self.status or self.corrupt):
            raise ValueError(f"the fault of {self.method} has no delay, status or corrupt")
        if self.status is not None and self.status not in grpc.StatusCode.__members__:
            known = ", ".join(grpc.StatusCode.__members__)
            raise ValueError(f"{self.status!r} is not a gRPC status; expected one of {known}")
        if self.corrupt is not None and self.corrupt.partition(".")[0] not in _SIDES:
            raise ValueError(f"expected 'request.FIELD' or 'response.FIELD', not {self.corrupt!r}")

    def damage(self, side: str, message: Any) -> None:
        """Damage the field that the fault names, if it is on this side.

        Args:
            side: ``request`` or ``response``.
            message: protobuf message; changed in place.
        """
        found, _, path = (self.corrupt or "").partition(".")
        if found != side:
            return
        *parents, field = path.split(".")
        for parent in parents:
            message = getattr(message, parent)
        value = getattr(message, field)
        if hasattr(value, "value"):  # a wrapper, such as the Int64Value of a checksum
            message, field, value = value, "value", value.value
        setattr(message, field, _damaged(value))


class FaultQueue:
    """Faults in the order in which they come; each happens once."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []
        self._lock = threading.Lock()

    def add(self, *faults: Fault) -> None:
        """Queue faults."""
        with self._lock:
            self._faults.extend(faults)

    def load(self, rows: Iterable[Mapping[str, Any]]) -> None:
        """Queue faults given as mappings, as from a JSON file.

        Raises:
            ValueError: a row is not a fault.
        """
        try:
            self.add(*(Fault(**row) for row in rows))
        except TypeError as error:
            raise ValueError(f"expected a list of faults: {error}") from error

    def take(self, method: str) -> Fault | None:
        """The next fault of a call, which is then gone."""
        with self._lock:
            found = next((fault for fault in self._faults if fault.method == method), None)
            if found is not None:
                self._faults.remove(found)
            return found

    def clear(self) -> None:
        """Forget all of them."""
        with self._lock:
            self._faults.clear()

    def __len__(self) -> int:
        """How many are still to come."""
        return len(self._faults)


def _damaged(value: Any) -> Any:
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value ^ 1
    if isinstance(value, str):
        return _damaged(value.encode("ascii")).decode("ascii")
    middle = len(value) // 2
    return value[:middle] + bytes([value[middle] ^ 1]) + value[middle + 1 :]
