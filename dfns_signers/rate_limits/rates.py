"""Rates as the configuration has them, such as ``10/minute``."""

from __future__ import annotations

import re
from typing import Annotated, Final, NamedTuple

from pydantic import AfterValidator
from typing_extensions import Self

_SECONDS: Final = {"second": 1, "minute": 60, "hour": 3600, "day": 86_400}
_RATE: Final = re.compile(rf"([1-9][0-9]{{0,8}})/({'|'.join(_SECONDS)})")


class Rate(NamedTuple):
    """``number`` of something in any ``seconds``."""

    number: int
    seconds: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``10/minute``; ValueError if it is not of that form."""
        match = _RATE.fullmatch(text)
        if match is None:
            raise ValueError(
                "expected a rate such as '10/minute': an integer above 0, '/', and one of "
                f"{', '.join(_SECONDS)}"
            )
        return cls(int(match[1]), _SECONDS[match[2]])


def _checked(text: str) -> str:
    Rate.parse(text)
    return text


RateText = Annotated[str, AfterValidator(_checked)]
"""A rate as a setting; ``Rate.parse`` reads it."""
