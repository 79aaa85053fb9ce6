"""Run a server until its starter ends, even if that is killed: the guardian watches its pipe.

Usage: python -m dfns_signers_testkit.guardian COMMAND [ARGUMENT ...]
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from typing import Final

GRACE: Final = 5.0
"""Seconds between SIGTERM and SIGKILL."""


def guard(command: Sequence[str]) -> int:
    """Run a command in a process group of its own until standard input ends; returns its code."""
    process = subprocess.Popen(  # noqa: S603  # the starter's own command
        command, stdin=subprocess.DEVNULL, start_new_session=True
    )
    # A signal meant for the starter's group must not end the guardian before the server.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    threading.Thread(target=_stop_at_end_of_input, args=[process], daemon=True).start()
    return process.wait()


def _stop_at_end_of_input(process: subprocess.Popen[bytes]) -> None:
    while os.read(sys.stdin.fileno(), 1024):
        pass
    _signal_group(process, signal.SIGTERM)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(GRACE)
    # Also after a clean stop: what it started may still run.
    _signal_group(process, signal.SIGKILL)


def _signal_group(process: subprocess.Popen[bytes], number: int) -> None:
    try:
        os.killpg(process.pid, number)
    except (ProcessLookupError, PermissionError):
        return


if __name__ == "__main__":
    sys.exit(guard(sys.argv[1:]))
