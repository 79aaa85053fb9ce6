"""What an error tracker could show of an error: the local variables of our frames."""

from __future__ import annotations

import base64
import dataclasses
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from types import FrameType, TracebackType

import pytest

import dfns_signers
from dfns_signers.errors import DfnsSignersError
from tests.secrecy import CANARY

PACKAGE = Path(dfns_signers.__file__).parent
_DEPTH = 6
# Modules whose instances are looked into.
_LOOKED_INTO = ("dfns_signers", "hvac", "requests")
_CANARIES = (
    CANARY,
    base64.b64encode(CANARY.encode()).decode().rstrip("="),
    CANARY.encode().hex(),
)


def chain(error: BaseException) -> Iterator[BaseException]:
    """An error, and all that led to it."""
    pending, seen = [error], set[int]()
    while pending:
        one = pending.pop()
        if id(one) not in seen:
            seen.add(id(one))
            yield one
            pending += [other for other in (one.__cause__, one.__context__) if other]


def our_frames(
    trace: TracebackType | None, packages: Iterable[Path] = (PACKAGE,)
) -> Iterator[FrameType]:
    for frame, _ in traceback.walk_tb(trace):
        if any(map(Path(frame.f_code.co_filename).is_relative_to, packages)):
            yield frame


def parts(value: object) -> Iterator[tuple[object, object]]:
    """What is in a value, with the key or name that leads to it: as deep as we made it."""
    if isinstance(value, Mapping):
        yield from value.items()
    elif isinstance(value, (list, tuple, set, frozenset)):
        yield from enumerate(value)
    elif dataclasses.is_dataclass(value) or type(value).__module__.startswith(_LOOKED_INTO):
        names = {name for kind in type(value).__mro__ for name in getattr(kind, "__slots__", ())}
        names |= set(getattr(value, "__dict__", {}))
        names |= {"__pydantic_extra__"} & set(dir(value))
        yield from ((name, getattr(value, name, None)) for name in sorted(names))


def shown(value: object, depth: int = _DEPTH) -> Iterator[str]:
    """All that a tracker could show of a value: its repr, its bytes as text, what is in it."""
    with suppress(Exception):  # an object that is half made may have none
        yield repr(value)
    if isinstance(value, (bytes, bytearray)):
        yield bytes(value).decode("latin-1")
    if depth:
        for name, part in parts(value):
            yield repr(name)
            yield from shown(part, depth - 1)


def leaks_of(
    fail: Callable[[], object], *secrets: str, packages: Iterable[Path] = (PACKAGE,)
) -> list[str]:
    """Have an error of ours raised, and find the canary, and other secrets, in what it holds."""
    with pytest.raises(DfnsSignersError) as caught:
        fail()
    assert any(our_frames(caught.value.__traceback__, packages)), "no frame of ours to look at"
    return list(_leaks(caught.value, (*_CANARIES, *secrets), packages))


def _leaks(error: BaseException, secrets: Iterable[str], packages: Iterable[Path]) -> Iterator[str]:
    for one in chain(error):
        held = {f"attribute of {type(one).__name__}": (one.args, vars(one))}
        for frame in our_frames(one.__traceback__, packages):
            place = f"{frame.f_code.co_name} of {frame.f_code.co_filename}"
            held |= {f"{name} in {place}": value for name, value in frame.f_locals.items()}
        for where, value in held.items():
            if any(secret in text for text in shown(value) for secret in secrets):
                yield where
