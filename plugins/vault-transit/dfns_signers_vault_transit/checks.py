"""One check of a diagnosis: makes its findings, with the time that it has taken."""

from __future__ import annotations

import time

from dfns_signers.plugin import Finding, Severity


class Check:
    """A check that asks the server; its time begins here.

    Args:
        name: what is looked at.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._begun = time.monotonic()

    def passed(self, message: str) -> Finding:
        """It is in order."""
        return self._finding(Severity.OK, message)

    def warning(self, message: str, remedy: str) -> Finding:
        """It works, and should be otherwise."""
        return self._finding(Severity.WARNING, message, remedy)

    def failure(self, message: object, remedy: str) -> Finding:
        """It does not work; the message may be an error."""
        return self._finding(Severity.FAILURE, str(message), remedy)

    def _finding(self, severity: Severity, message: str, remedy: str = "") -> Finding:
        seconds = time.monotonic() - self._begun
        return Finding(self._name, severity, message, remedy, seconds)
