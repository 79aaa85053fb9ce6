"""Arguments of a client that can never work are refused when they are given."""

from __future__ import annotations

from typing import Any, Final

import httpx

from dfns_signers.errors import ConfigurationError

_A_DAY: Final = 86_400.0


def check_timeout(timeout: Any) -> None:
    """Refuse what cannot be a timeout, with ConfigurationError."""
    parts = timeout.as_dict().values() if isinstance(timeout, httpx.Timeout) else [timeout]
    for seconds in parts:
        if seconds is None:
            continue
        is_number = isinstance(seconds, (int, float)) and not isinstance(seconds, bool)
        if not is_number or not 0 < seconds <= _A_DAY:
            raise ConfigurationError(
                "'timeout' must be a number of seconds above 0 and up to a day, an httpx.Timeout "
                f"of such numbers, or None, not {seconds!r:.100}"
            )


def check_max_attempts(value: object) -> None:
    """Refuse what cannot be a number of attempts, with ConfigurationError."""
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise ConfigurationError(f"'max_attempts' must be an integer of 1 or more, not {value!r}")
