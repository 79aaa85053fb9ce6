from __future__ import annotations

from tests.core.cli.support import command

__all__ = ["command"]
