"""What the emulator recorded, in the words of the protocol."""

from __future__ import annotations

import json
from typing import Any, Final

from dfns_signers.emulator import Emulator, ReceivedRequest

INIT: Final = "/auth/action/init"
ACTION: Final = "/auth/action"


def announced(emulator: Emulator) -> list[dict[str, Any]]:
    """The bodies of every ``POST /auth/action/init``."""
    return [json.loads(request.body) for request in sent(emulator, INIT)]


def sent(emulator: Emulator, path: str) -> list[ReceivedRequest]:
    """The requests to a raw path."""
    return [request for request in emulator.requests if request.raw_path == path]


def calls(emulator: Emulator) -> list[ReceivedRequest]:
    """Every request that is no step of a user action."""
    return [request for request in emulator.requests if request.raw_path not in {INIT, ACTION}]
