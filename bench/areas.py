"""The areas that are measured, each in a process of its own.

``python -m bench.areas AREA SCALE`` measures one and prints its rows as lines of JSON.
"""

from __future__ import annotations

import json
import pkgutil
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Final

from bench.measuring import Effort
from bench.table import Row

_FRAMEWORK: Final = {"areas", "measuring", "resident", "table", "__main__"}


def names() -> list[str]:
    """The modules of this package that measure something."""
    found = pkgutil.iter_modules([str(Path(__file__).parent)])
    return sorted(
        module.name for module in found if module.name not in _FRAMEWORK and not module.ispkg
    )


def measured(area: str, effort: Effort) -> Iterator[Row]:
    """The rows of an area, as they come.

    Raises:
        RuntimeError: measuring failed.
    """
    command = [sys.executable, "-m", __name__, area, str(effort.scale)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603
        assert process.stdout is not None  # noqa: S101
        for line in process.stdout:
            yield Row.from_json(json.loads(line))
    if process.returncode:
        raise RuntimeError(f"{area}: measuring failed with {process.returncode}")


def _main(area: str, scale: str) -> None:
    for row in import_module(f"bench.{area}").rows(Effort(float(scale))):
        sys.stdout.write(f"{json.dumps(row.as_json())}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    _main(*sys.argv[1:])
