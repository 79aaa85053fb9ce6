"""The command line. Needs the extra ``cli``."""

from __future__ import annotations

import atexit
import gc
import sys
from importlib.util import find_spec
from typing import Final

_EXTRA: Final = ("rich", "tomlkit", "typer")


def main() -> None:
    """Entry point of the command ``dfns-signers``."""
    for name in _EXTRA:
        if find_spec(name) is None:
            sys.stderr.write(
                f"error: the command line needs {name}, which is not installed; run: "
                'pip install "dfns-signers[cli]", or in a clone of the repository: '
                'pip install ".[cli]"\n'
            )
            sys.exit(3)
    from dfns_signers.cli import app  # noqa: PLC0415  # it needs the extra

    # The end of the process need not search all that was imported for garbage.
    atexit.register(gc.freeze)

    app.main()
