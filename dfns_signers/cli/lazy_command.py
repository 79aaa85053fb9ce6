"""Commands whose modules are imported when they are used, and not to be listed."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup


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
        app = typer.Typer(add_completion=False, rich_markup_mode="markdown")
        app.command(self.name)(_function(self._place))
        return typer.main.get_command(app)


class LazyGroup(TyperGroup):
    """A group that is a command, too, where none of its own follows.

    Args:
        place: the function that runs then, and before a command of the group; as of LazyCommand.
        summary: the first paragraph of its help.
        commands: of the group.
        settings: of their contexts.
    """

    def __init__(
        self,
        name: str,
        place: str,
        summary: str,
        commands: Sequence[Any],
        settings: dict[str, Any],
    ) -> None:
        super().__init__(
            name=name,
            help=summary,
            commands=commands,
            rich_markup_mode="markdown",
            context_settings=settings,
        )
        self._place = place

    def make_context(
        self, info_name: str | None, args: list[str], parent: Any = None, **extra: Any
    ) -> Any:
        """See LazyCommand."""
        return self.imported().make_context(info_name, args, parent, **extra)

    def imported(self) -> Any:
        """The command itself, with the commands of the group."""
        app = typer.Typer(
            name=self.name,
            add_completion=False,
            rich_markup_mode="markdown",
            invoke_without_command=True,
            subcommand_metavar="[COMMAND] [ARGS]...",
            context_settings=dict(self.context_settings),
        )
        app.callback()(_function(self._place))
        group: Any = typer.main.get_group(app)
        for command in self.commands.values():
            group.add_command(command)
        return group


def defaults_of_commands(group: Any, given: dict[str, Any]) -> dict[str, Any]:
    """Options that were given before a command as defaults of each (click's ``default_map``)."""
    return {
        name: {**given, **defaults_of_commands(command, given)}
        for name, command in getattr(group, "commands", {}).items()
    }


def _function(place: str) -> Any:
    module, _, name = place.partition(":")
    return getattr(import_module(f"dfns_signers.cli.{module}"), name)
