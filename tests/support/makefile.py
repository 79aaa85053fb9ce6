"""The recipes of the Makefile."""

from __future__ import annotations

import re
import shlex
import sys
from pathlib import Path
from typing import Final

from tests.support import ROOT

_MAKEFILE: Final = (ROOT / "Makefile").read_text(encoding="utf-8")


def recipe(target: str, *arguments: str) -> list[str]:
    """The command of a target whose recipe takes ``$(ARGS)``, with the Python of the tests."""
    (line,) = re.findall(rf"^{target}:.*\n\t@(.*) \$\(ARGS\)$", _MAKEFILE, re.MULTILINE)
    return [*shlex.split(line.replace("$(BIN)", str(Path(sys.executable).parent))), *arguments]
