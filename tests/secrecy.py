"""Watches a whole run of the suite for secrets that get out."""

from __future__ import annotations

import logging
import re
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
        self.errors.clear()
        leaks, self.leaks = self.leaks, []
        return leaks


def watch_errors(watch: Watch, patch: Any) -> None:
    """Have every error of ours remembered, from its construction on."""
    original = DfnsSignersError.__init__

    def remember(self: DfnsSignersError, *args: object, **kwargs: object) -> None:
        original(self, *args, **kwargs)
        watch.errors.append(self)

    patch.setattr(DfnsSignersError, "__init__", remember)
