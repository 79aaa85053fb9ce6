"""Commands that are interrupted before and after each thing they do, and run again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from dfns_signers.lifecycle import ProfileSetup
from tests.core.cli.support import Command


class Power:
    """Goes off before or after an effect, by its number; off with a negative one.

    Args:
        monkeypatch: puts it before and after the effects.
        effects: methods, each as its class and its name.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *effects: tuple[type, str]) -> None:
        self.left = -1
        for owner, name in effects:
            monkeypatch.setattr(owner, name, self._watched(getattr(owner, name)))

    def _passes(self) -> None:
        self.left -= 1
        if self.left == -1:
            raise KeyboardInterrupt

    def _watched(self, effect: Callable[..., Any]) -> Callable[..., Any]:
        def watched(*arguments: Any, **keywords: Any) -> Any:
            self._passes()
            done = effect(*arguments, **keywords)
            self._passes()
            return done

        return watched


def interrupted_anywhere(
    command: Command,
    power: Power,
    config: Path,
    options: Callable[[str], tuple[str, ...]],
    *,
    stdin: str = "",
) -> Iterator[str]:
    """Names of profiles, each set up in two runs, of which the first was interrupted further on.

    Args:
        command: runs ``setup``.
        power: off at first.
        config: the configuration file.
        options: those of ``setup`` for the profile of a name.
        stdin: of both runs.
    """
    for number in count():
        profile = ProfileSetup(f"p{number}", config=config)
        name = profile.profile
        arguments = ("setup", "--config", config, "--name", name, *options(name))
        power.left = number
        assert command(*arguments, stdin=stdin).code == 130
        power.left = -1
        is_complete = not profile.missing
        again = command(*arguments, stdin=stdin)
        if "if it is lost, run this again with --replace" in again.err:
            again = command(*arguments, "--replace", stdin=stdin)
        assert again.code == 0, again.err
        yield name
        if is_complete:  # what is left is to examine it
            return
