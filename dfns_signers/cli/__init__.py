"""The command line. Needs the extra ``cli``."""

from __future__ import annotations

import sys
from typing import Final

_EXTRA: Final = ("rich", "tomli_w", "typer")


def main() -> None:
    """Entry point of the command ``dfns-signers``."""
    try:
        from dfns_signers.cli import app  # noqa: PLC0415  # an optional extra
    except ModuleNotFoundError as error:
        if error.name not in _EXTRA:
            raise
        sys.stderr.write(
            f"error: the command line needs {error.name}, which is not installed; run: "
            'pip install "dfns-signers[cli]", or in a clone of the repository: '
            'pip install ".[cli]"\n'
        )
        sys.exit(3)
    app.main()
