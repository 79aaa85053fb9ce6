"""Watches a whole run of the suite for secrets that get out."""

from __future__ import annotations

import logging
import re
import traceback
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from dfns_signers.errors import DfnsSignersError

CANARY = "canary-3f9c2b"
"""Put into tokens and passphrases of tests; it must turn up nowhere."""

# Tokens and user actions of the emulator look like JWTs, as the real ones do.
LEAK = re.compile(
    rf"{CANARY}"
    r"|eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]+"
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----\s*(?:\\n)?[A-Za-z0-9+/]{20}"
)

# It looks like a token, and identifies a challenge to whoever can sign it.
_CHALLENGE_IDENTIFIER = re.compile(
    r"""(['"])challengeIdentifier\1: ?(['"]).*?\2"""  # as Python and as JSON write it
)


class Watch(logging.Handler):
    """Keeps what leaked: every log record at any level, every error of ours that was made."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.setFormatter(logging.Formatter())
        self.leaks: list[str] = []
        self.errors: list[DfnsSignersError] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.look(f"log record of {record.name}", self.format(record))

    def look(self, where: str, text: str) -> None:
        if LEAK.search(text):
            self.leaks.append(f"{where}: {text}")

    def drain(self) -> list[str]:
        """What leaked since the last time, errors included."""
        for error in self.errors:
            self.look(type(error).__name__, f"{error} {error!r} {error.args} {vars(error)}")
            for name, value in _variables(error):
                self.look(name, value)
        self.errors.clear()
        leaks, self.leaks = self.leaks, []
        return leaks


def _variables(error: BaseException) -> Iterator[tuple[str, str]]:
    """The local variables of our frames in its traceback, as an error tracker shows them."""
    for frame, _ in traceback.walk_tb(error.__traceback__):
        if _handles_secrets(frame.f_code.co_filename):
            for name, value in frame.f_locals.items():
                with suppress(Exception):  # an object that is half made may have no repr
                    shown = _CHALLENGE_IDENTIFIER.sub("", repr(value))
                    yield f"{name} in {frame.f_code.co_name}", shown


def _handles_secrets(file: str) -> bool:
    # A command prints its error and ends; the emulator knows no secrets but its own.
    _, ours, inside = file.partition("/dfns_signers")
    return bool(ours) and not inside.startswith(("/cli/", "/emulator/", "_testkit/"))


def watch_errors(watch: Watch, patch: Any) -> None:
    """Have every error of ours remembered, from its construction on."""
    original = DfnsSignersError.__init__

    def remember(self: DfnsSignersError, *args: object, **kwargs: object) -> None:
        original(self, *args, **kwargs)
        watch.errors.append(self)

    patch.setattr(DfnsSignersError, "__init__", remember)
