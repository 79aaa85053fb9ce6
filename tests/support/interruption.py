"""Interrupt code at each of its lines, as a signal, another thread or a fork may."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from functools import partial
from itertools import count
from types import FrameType, ModuleType
from typing import Any, Final, TypeAlias

Act: TypeAlias = Callable[[], object]

BOUND: Final = 20  # seconds; far more than what is interrupted takes
_MOMENT: Final = 0.02  # seconds; for a thread that may wait for what the interrupted one holds


def at_each_line(
    module: ModuleType, prepared: Callable[[], tuple[Act, Act]], *, elsewhere: bool
) -> Iterator[int]:
    """Run something again and again, each time interrupted one line further on.

    Args:
        module: whose lines are counted, as they are reached.
        prepared: makes anew what is to run, and what interrupts it.
        elsewhere: whether another thread interrupts it, which may have to wait for it.

    Yields:
        The number of the line, after each run that was interrupted.
    """
    for line in count(1):
        run, interrupt = prepared()
        other = threading.Thread(target=interrupt, daemon=True)
        interruption = _Interruption(
            module, line, partial(_moment_of, other) if elsewhere else interrupt
        )
        # Daemons, for one that hangs must not hang the suite.
        thread = threading.Thread(target=_traced, args=(interruption, run), daemon=True)
        thread.start()
        _join(thread, line)
        if interruption.is_due:
            return
        if elsewhere:
            _join(other, line)
        yield line


def _moment_of(thread: threading.Thread) -> None:
    thread.start()
    thread.join(_MOMENT)


def _join(thread: threading.Thread, line: int) -> None:
    thread.join(BOUND)
    assert not thread.is_alive(), f"hangs if it is interrupted at line {line}"


class _Interruption:
    def __init__(self, module: ModuleType, line: int, act: Act) -> None:
        self.is_due = True
        self._file = module.__file__
        self._left = line
        self._act = act

    def trace(self, frame: FrameType, event: str, _: Any) -> Any:
        if frame.f_code.co_filename != self._file:
            return None
        self._left -= event == "line"
        if self._left == 0 and self.is_due:
            self.is_due = False
            self._act()
        return self.trace


def _traced(interruption: _Interruption, run: Act) -> None:
    sys.settrace(interruption.trace)
    try:
        run()
    finally:
        sys.settrace(None)
