"""The codes that Dfns sends to its users by e-mail; the emulator keeps them for the test."""

from __future__ import annotations

import secrets
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from dfns_signers.emulator.requests.messages import quoted, unauthorized
from dfns_signers.errors import ConfigurationError

CodePurpose: TypeAlias = Literal["registration", "login", "recovery"]


@dataclass(slots=True)
class SentCodes:
    """The last code of each purpose and user."""

    _codes: dict[tuple[str, str], str] = field(default_factory=dict, repr=False)

    def send(self, purpose: CodePurpose, username: str) -> None:
        """Send a new code, which replaces the one before."""
        self._codes[purpose, username] = f"{secrets.randbelow(10**8):08}"

    def last(self, purpose: CodePurpose, username: str) -> str | None:
        """The code that was sent last and is not redeemed."""
        return self._codes.get((purpose, username))

    def redeem(self, purpose: CodePurpose, username: str, code: str) -> None:
        """Use up a code; refused with 401 unless it was the last to be sent."""
        if code != self.last(purpose, username):
            raise unauthorized(
                "code",
                f"Not Authorized. The {purpose} code of {quoted(username)} is not the one that was"
                " sent last, or it was used before.",
            )
        del self._codes[purpose, username]


class Mail:
    """What users have received; `Emulator.mail`."""

    def __init__(self, codes: SentCodes, lock: AbstractContextManager[Any]) -> None:
        self._codes = codes
        self._lock = lock

    def code(self, purpose: CodePurpose, username: str) -> str:
        """The code that was sent last to a user for this purpose, and was not used.

        Raises:
            ConfigurationError: there is none.
        """
        with self._lock:
            code = self._codes.last(purpose, username)
        if code is None:
            raise ConfigurationError(f"no {purpose} code was sent to {username}, or it was used")
        return code
