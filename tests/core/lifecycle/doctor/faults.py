"""Faults of a profile: what is broken, and the finding that names it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from dfns_signers.lifecycle import Severity
from tests.core.lifecycle.doctor.doctor_scene import Scene

FAILURE, WARNING = Severity.FAILURE, Severity.WARNING


@dataclass(frozen=True)
class Fault:
    """What is broken, and the finding that names it."""

    arrange: Callable[[Scene], object]
    check: str
    severity: Severity
    message: str
    remedy: str


FAULTS: dict[str, Fault] = {}


def fault(
    check: str, severity: Severity, message: str, remedy: str
) -> Callable[[Callable[[Scene], object]], object]:
    def add(arrange: Callable[[Scene], object]) -> object:
        FAULTS[arrange.__name__] = Fault(arrange, check, severity, message, remedy)
        return arrange

    return add


def write_key(scene: Scene, pem: bytes) -> None:
    (scene.folder / "key.pem").write_bytes(pem)
