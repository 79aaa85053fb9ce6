"""The ways to have a key sign, so that one test holds for each."""

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


def asign_natively(key: AnsweringKey) -> bytes:
    key.is_native = True
    return anyio.run(key.asign, MESSAGE)


WAYS = pytest.mark.parametrize("way", [sign, asign, asign_natively])
Way = Callable[[AnsweringKey], bytes]
