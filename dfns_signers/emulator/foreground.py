"""Running an emulator until a signal arrives, for the command line."""

from __future__ import annotations

import json
import signal
import threading
from collections.abc import Callable
from types import FrameType

from dfns_signers.emulator.emulator import Emulator

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


def serve_forever(emulator: Emulator, announce: Callable[[str], None]) -> None:
    """Start the emulator, announce it, and stop it at SIGINT or SIGTERM.

    Call it in the main thread: signals arrive nowhere else.

    Args:
        emulator: an emulator that is not running.
        announce: takes one line of JSON, the settings, once connections are accepted.
    """
    stopped = threading.Event()

    def stop(_number: int, _frame: FrameType | None) -> None:
        stopped.set()

    previous = {number: signal.signal(number, stop) for number in _SIGNALS}
    try:
        with emulator:
            announce(json.dumps(emulator.settings))
            stopped.wait()
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
