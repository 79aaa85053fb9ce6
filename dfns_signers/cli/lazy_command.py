"""A command whose module is imported when it is used, and not to be listed."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import typer
from typer.core import TyperCommand


class LazyCommand(TyperCommand):
    """Stands for a command in lists of commands, and makes way for it when it is used.

    Args:
        place: the function of the command, such as ``signing:sign``, in this package.
        summary: the first paragraph of its help.
    """

    def __init__(self, name: str, place: str, summary: str) -> None:
        super().__init__(name, help=summary, rich_markup_mode="markdown")
        self._place = place

    def make_context(
        self, info_name: str | None, args: list[str], parent: Any = None, **extra: Any
    ) -> Any:
        """Parse arguments, as the command itself does; it is what the context then runs."""
        return self.imported().make_context(info_name, args, parent, **extra)

    def imported(self) -> Any:
        """The command itself."""
        module, _, function = self._place.partition(":")
        app = typer.Typer(add_completion=False, rich_markup_mode="markdown")
        app.command(self.name)(getattr(import_module(f"dfns_signers.cli.{module}"), function))
        return typer.main.get_command(app)
