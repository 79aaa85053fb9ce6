"""Arguments of a client that can never work are refused when they are given."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import httpx

from dfns_signers.arguments import shown
from dfns_signers.errors import ConfigurationError

_A_DAY: Final = 86_400.0


@dataclass(frozen=True, slots=True)
class CallLimits:
    """How often a call is tried, and how long it may take; DfnsClient documents each.

    Raises:
        ConfigurationError: a value that can never work.
    """

    max_attempts: int
    call_timeout: float | None
    max_retry_after: float

    def __post_init__(self) -> None:
        attempts: Any = self.max_attempts
        if not isinstance(attempts, int) or isinstance(attempts, bool) or attempts < 1:
            raise ConfigurationError(
                f"'max_attempts' must be an integer of 1 or more, not {shown(attempts)}"
            )
        if self.call_timeout is not None and not (
            _is_seconds(self.call_timeout) and self.call_timeout > 0
        ):
            raise ConfigurationError(
                "'call_timeout' must be a number of seconds above 0 and up to a day, or None, not "
                f"{shown(self.call_timeout)}"
            )
        if not _is_seconds(self.max_retry_after):
            raise ConfigurationError(
                "'max_retry_after' must be a number of seconds from 0 up to a day, not "
                f"{shown(self.max_retry_after)}"
            )


def check_timeout(timeout: Any) -> None:
    """Refuse what cannot be a timeout, with ConfigurationError."""
    parts = timeout.as_dict().values() if isinstance(timeout, httpx.Timeout) else [timeout]
    for seconds in parts:
        if seconds is not None and not (_is_seconds(seconds) and seconds > 0):
            raise ConfigurationError(
                "'timeout' must be a number of seconds above 0 and up to a day, an httpx.Timeout "
                f"of such numbers, or None, not {shown(seconds)}"
            )


def check_keepalive_expiry(seconds: Any) -> None:
    """Refuse what cannot be a time to keep idle connections, with ConfigurationError."""
    if not _is_seconds(seconds):
        raise ConfigurationError(
            "'keepalive_expiry' must be a number of seconds from 0 up to a day, not "
            f"{shown(seconds)}"
        )


def _is_seconds(value: Any) -> bool:
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return is_number and 0 <= value <= _A_DAY
