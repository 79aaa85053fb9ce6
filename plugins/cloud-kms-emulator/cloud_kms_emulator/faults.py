"""Faults to come: a queue of delays, refusals and damaged bytes."""

from __future__ import annotations

import math
import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import NoneType
from typing import TYPE_CHECKING, Any, Final

import grpc
from google.protobuf.message import Message

if TYPE_CHECKING:
    from cloud_kms_emulator.operations import Operation

_SIDES: Final = ("request", "response")
_TEXTS: Final[Mapping[str, tuple[type, ...]]] = {
    "method": (str,),
    "status": (str, NoneType),
    "message": (str,),
    "corrupt": (str, NoneType),
}
_STATUSES: Final = [name for name in grpc.StatusCode.__members__ if name != "OK"]


@dataclass(frozen=True, slots=True)
class Fault:
    """What goes wrong with one call.

    Attributes:
        method: the call, such as ``AsymmetricSign``.
        delay: seconds before it is handled, from 0.
        status: name of the gRPC status that it ends with, such as ``UNAVAILABLE``; nothing is
            done then.
        message: message of that status.
        corrupt: field that is damaged on its way, such as ``response.signature`` or
            ``request.data``: a bit of bytes, a character of a string, a bit of a number, or a
            flag turned over.

    Raises:
        ValueError: it would do nothing, a value is not of its type, or it names no status of a
            failure or no side.
    """

    method: str
    delay: float = 0.0
    status: str | None = None
    message: str = "a fault was queued"
    corrupt: str | None = None

    def __post_init__(self) -> None:
        for name, kinds in _TEXTS.items():
            value: object = getattr(self, name)
            if not isinstance(value, kinds):
                raise ValueError(f"expected a string for {name!r}, not {value!r}")
        delay: object = self.delay
        is_number = isinstance(delay, (int, float)) and not isinstance(delay, bool)
        if not is_number or not 0 <= self.delay < math.inf:
            raise ValueError(f"expected seconds from 0 for 'delay', not {self.delay!r}")
        if not (self.delay or self.status or self.corrupt):
            raise ValueError(f"the fault of {self.method} has no delay, status or corrupt")
        if self.status and self.corrupt:
            raise ValueError(f"the fault of {self.method} has a status, so that nothing is damaged")
        if self.status is not None and self.status not in _STATUSES:
            raise ValueError(
                f"{self.status!r} is not a gRPC status of a failure; expected one of "
                f"{', '.join(_STATUSES)}"
            )
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
    """Faults in the order in which they come; each happens once.

    Args:
        operations: the RPCs that may fail, by name.
    """

    def __init__(self, operations: Mapping[str, Operation]) -> None:
        self._operations = operations
        self._faults: list[Fault] = []
        self._lock = threading.Lock()

    def add(self, *faults: Fault) -> None:
        """Queue faults.

        Raises:
            ValueError: one names a method that is not emulated, or a field that it does not have.
        """
        for fault in faults:
            self._check(fault)
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

    def _check(self, fault: Fault) -> None:
        operation = self._operations.get(fault.method)
        if operation is None:
            raise ValueError(
                f"{fault.method!r} is not emulated; expected one of {', '.join(self._operations)}"
            )
        if fault.corrupt is not None:
            side, *path = fault.corrupt.split(".")
            kind = getattr(operation, side)
            if not _is_damageable(kind.pb(kind()), path):
                raise ValueError(f"the {side} of {fault.method} has no field {'.'.join(path)!r}")

    def clear(self) -> None:
        """Forget all of them."""
        with self._lock:
            self._faults.clear()

    def __len__(self) -> int:
        """How many are still to come."""
        return len(self._faults)


def _is_damageable(message: Any, path: Sequence[str]) -> bool:
    """Whether a message has a field by that path, of one value that has bits."""
    for name in path:
        if not isinstance(message, Message) or name not in message.DESCRIPTOR.fields_by_name:
            return False
        message = getattr(message, name)
    return isinstance(message, (bytes, str, int)) or hasattr(message, "value")


def _damaged(value: Any) -> Any:
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value ^ 1
    if isinstance(value, str):
        return _damaged(value.encode("ascii")).decode("ascii")
    if not value:
        return b"\x01"
    middle = len(value) // 2
    return value[:middle] + bytes([value[middle] ^ 1]) + value[middle + 1 :]
