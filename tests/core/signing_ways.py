"""The two ways to have a key sign, so that one test holds for both."""

from __future__ import annotations

from collections.abc import Callable

import anyio
import pytest

from tests.core.keys import AnsweringKey

MESSAGE = b"message"


def sign(key: AnsweringKey) -> bytes:
    return key.sign(MESSAGE)


def asign(key: AnsweringKey) -> bytes:
    return anyio.run(key.asign, MESSAGE)


WAYS = pytest.mark.parametrize("way", [sign, asign])
Way = Callable[[AnsweringKey], bytes]
