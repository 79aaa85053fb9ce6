"""Memory of this process; for children that are measured, and so with next to no imports."""

from __future__ import annotations

import os


def resident() -> int:
    """Bytes that are resident; Linux only."""
    with open("/proc/self/statm") as file:  # noqa: PTH123  # pathlib is memory, too
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
