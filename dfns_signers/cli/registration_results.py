"""Where the result of a registration goes: into the profile, or to standard output."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import typer
from typing_extensions import Self

from dfns_signers.cli.output import note, print_json
from dfns_signers.config.loading import LoadedProfile
from dfns_signers.config.writing import ConfigEdit, profile_toml
from dfns_signers.errors import ConfigurationError, RegistrationError
from dfns_signers.lifecycle import Registration
from dfns_signers.lifecycle.token_file import file_reference

_KINDS: Final = {
    "credential": "a credential",
    "service-account": "the service account {}",
    "token": "the personal access token {}",
}


class RegistrationResult:
    """What a registration puts into the profile.

    Args:
        loaded: the profile.
        config: the configuration file.
        by: the profile under which the key is registered; what the profile lacks of its address
            and its token is taken from there.
        write: whether to write the profile; else, it is printed.
        json: whether to print JSON.

    Raises:
        ConfigurationError: there is no profile to be written, or the file cannot be.
    """

    def __init__(
        self,
        loaded: LoadedProfile,
        config: Path | None,
        by: str | None,
        *,
        write: bool,
        json: bool,
    ) -> None:
        self._name, self._file = loaded.name, loaded.file
        self._by = by
        self._json = json
        self._edit = ConfigEdit(config) if write else None
        if write and loaded.name is None:
            raise ConfigurationError(
                f"{loaded.title} are not a profile that can be written: name one with --profile"
            )

    def keep_credential_id(self, credential_id: str) -> None:
        """Write the id of a credential before it is registered, for it to be found again."""
        self._put({"credential_id": credential_id}, ("base_url", "auth_token"))

    def conclude(self, made: Registration, *, token_shown: bool = False) -> None:
        """Write or print what is registered."""
        verb = "registered" if made.is_new else "found, for it was registered already:"
        what = _KINDS[made.kind].format(made.identity)
        note(f"{verb} {what} ({made.name!r}), credential id {made.credential_id}")
        settings: dict[str, Any] = {"credential_id": made.credential_id}
        if made.token_file is not None and not token_shown:
            settings["auth_token"] = file_reference(made.token_file, self._file)
        missing = ("base_url", "auth_token") if made.kind == "credential" else ("base_url",)
        self._put(settings, missing)
        if self._edit is not None:
            note(f"the profile {self._name!r} of {self._edit.path} has it")
        if self._json:
            file = None if made.token_file is None else str(made.token_file)
            print_json({**asdict(made), "token_file": file})
        elif self._edit is None:
            shown = profile_toml(self._name or "NAME", settings)
            typer.echo(shown, nl=False, err=token_shown)

    def _put(self, settings: Mapping[str, Any], missing: Sequence[str]) -> None:
        """Write settings, and those of ``by`` that are missing in the profile."""
        if self._edit is None or self._name is None:
            return
        own, other = (self._edit.profiles.get(name or "", {}) for name in (self._name, self._by))
        taken = {name: other[name] for name in missing if name in other and name not in own}
        wanted = {**taken, **settings}
        if any(own.get(name) != value for name, value in wanted.items()):
            self._edit.put(self._name, wanted)
            self._edit.write()


class TokenPlace:
    """Where a token goes: the file that was named, or standard output by way of one.

    Attributes:
        path: the file.
    """

    def __init__(self, file: Path | None, stdout: bool) -> None:
        if (file is not None) == stdout:
            raise typer.BadParameter(
                "or --token-stdout is needed, and not both: the token is shown only once",
                param_hint="--token-file",
            )
        if stdout and sys.stdout is None:
            raise typer.BadParameter("needs standard output", param_hint="--token-stdout")
        self._folder: Path | None = None
        self._is_shown = False
        if file is None:
            self._folder = Path(tempfile.mkdtemp(prefix="dfns-signers-"))
            file = self._folder / "token"
        self.path = file

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._folder is None:
            return
        if self._is_shown or not (self.path.exists() and self.path.read_bytes().strip()):
            shutil.rmtree(self._folder, ignore_errors=True)
        else:
            note(f"the token is in {self.path}, which only you can read")

    def show(self) -> None:
        """Print the token, if it is to go to standard output.

        Raises:
            RegistrationError: that cannot be written; the message says where the token is.
        """
        if self._folder is None:
            return
        try:
            typer.echo(self.path.read_text(encoding="utf-8"), nl=False)
            self._is_shown = True
        except OSError as error:
            self._folder = None
            _give_up_stdout()
            raise RegistrationError(
                f"the token cannot be written to standard output ({error.strerror}). It is in "
                f"{self.path}, which only you can read: move it to where you want it"
            ) from error


def _give_up_stdout() -> None:
    """Let what could not be written to standard output not be tried again at the end."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)
