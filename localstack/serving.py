# ruff: noqa: INP001  # beside scripts, in no package
"""What the scripts that leave a local server running have in common."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TypeVar

T = TypeVar("T")


def serve(server: AbstractContextManager[T], settings: Callable[[T], str]) -> None:
    """Start a server, print the settings that use it, and stay until SIGINT or SIGTERM.

    Args:
        server: runs while it is entered.
        settings: what to print, made when it runs.
    """
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    with server as running:
        sys.stdout.write(settings(running))
        sys.stdout.flush()
        stop.wait()
