"""Listening on this machine only, and until a signal arrives."""

from __future__ import annotations

import ipaddress
import json
import re
import signal
import threading
from collections.abc import Callable
from types import FrameType
from typing import TYPE_CHECKING, Final

from dfns_signers.errors import ConfigurationError

if TYPE_CHECKING:
    from dfns_signers.emulator.emulator import Emulator

_LISTEN: Final = re.compile(r"(?:\[(?P<v6>[^\[\]]+)\]|(?P<name>[^:\[\]\s]+)):(?P<port>[0-9]{1,5})")
_MAXIMUM_PORT: Final = 65_535
_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)


def parse_listen(text: str) -> tuple[str, int]:
    """Host and port of ``HOST:PORT`` or ``[IPv6]:PORT``; port 0 is any free port.

    Raises:
        ConfigurationError: it is neither.
    """
    match = _LISTEN.fullmatch(text)
    if not match or int(match["port"]) > _MAXIMUM_PORT:
        raise ConfigurationError(
            f"cannot listen on {text!r}: expected HOST:PORT, such as 127.0.0.1:0 or [::1]:8080"
        )
    return match["v6"] or match["name"], int(match["port"])


def loopback_address(host: str) -> str:
    """The address of a loopback host.

    Raises:
        ConfigurationError: other machines can reach it, or it is not an address.
    """
    if not is_loopback(host):
        raise ConfigurationError(
            f"the emulator cannot listen on {host!r}: its tokens are not secret, so it listens on"
            " 127.0.0.1, [::1] or localhost only"
        )
    return "127.0.0.1" if host == "localhost" else host


def is_loopback(host: str) -> bool:
    """Whether a host is this machine: ``localhost``, 127.0.0.0/8 or ::1."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


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
