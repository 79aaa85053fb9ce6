"""What the steps of ``setup`` share: the profile, the person, and what a dry run leaves undone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from dfns_signers.cli.output import note
from dfns_signers.cli.questions import Questions
from dfns_signers.config.writing import profile_toml
from dfns_signers.errors import ConfigurationError
from dfns_signers.lifecycle import ProfileSetup
from dfns_signers.sealed import Sealed


@dataclass(slots=True)
class Progress:
    """A setup under way.

    Attributes:
        profile: what is being set up.
        questions: asks what no option answers.
        replace: whether settings that are there may be replaced unasked.
        dry_run: whether to say what would be done, and do nothing.
    """

    profile: ProfileSetup
    questions: Questions
    replace: bool = False
    dry_run: bool = False
    _planned: dict[str, Any] = field(default_factory=dict, repr=False)

    @property
    def missing(self) -> tuple[str, ...]:
        """What the profile still lacks, as it is or as a dry run would have left it."""
        return tuple(name for name in self.profile.missing if name not in self._planned)

    def begins(self, what: str) -> bool:
        """Say what is done next; False in a dry run, which does not do it."""
        note(f"would {what}" if self.dry_run else what)
        return not self.dry_run

    def require_replaceable(self, differing: tuple[str, ...]) -> None:
        """Ask before settings of the profile are lost.

        Raises:
            ConfigurationError: they are to stay.
        """
        if not differing or self.replace:
            return
        names = " and ".join(map(repr, differing))
        found = f"the profile {self.profile.profile!r} in {self.profile.config} has another {names}"
        if not self.questions.can_ask:
            raise ConfigurationError(
                f"{found}, and was left as it is: choose another --name, or give --replace, which "
                "keeps a copy of the file"
            )
        if not self.questions.confirm(f"{found}. Replace it? A copy of the file is kept"):
            raise ConfigurationError(f"{found}, and was left as it is: choose another --name")

    def write(self, settings: Mapping[str, Any]) -> None:
        """Write settings into the profile, and ask first if others are there."""
        given = Sealed(settings)
        del settings
        self.require_replaceable(self.profile.differing(given.open()))
        names = ", ".join(given.open())
        if not self.begins(f"write {names} into [profiles.{self.profile.profile}]"):
            self.plan(**given.open())
            return
        copy = self.profile.put(given.open(), replace=True)
        if copy is not None:
            note(f"  the file as it was: {copy}")

    def plan(self, **settings: Any) -> None:
        """Remember what a dry run would have written."""
        self._planned.update(settings)

    @property
    def planned_text(self) -> str:
        """What a dry run would have written, in TOML."""
        return profile_toml(self.profile.profile, self._planned) if self._planned else ""
