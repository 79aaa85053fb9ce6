"""Whether a file that holds a secret is kept to its owner."""

from __future__ import annotations

import os
import stat


def readable_by_others(mode: int) -> bool:
    """Whether users other than the owner may read a file of that ``st_mode``.

    Always False on systems where modes do not say so.
    """
    return os.name == "posix" and bool(mode & (stat.S_IRGRP | stat.S_IROTH))
