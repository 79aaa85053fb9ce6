"""The new file that a token goes into, which the API shows only once."""

from __future__ import annotations

import errno
import os
import stat
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Final

from dfns_signers.errors import RegistrationError
from dfns_signers.private_files import create_private_file, read_private_file
from dfns_signers.sealed import Sealed

_BLANK: Final = b" " * 8192
"""Longer than any token: the room that it takes is there before it comes."""


class TokenFile:
    """A file with a token and nothing else; only its owner can read it.

    Until the token is there, it has spaces alone; such a file, of an interrupted registration, is
    taken for a new one.

    Attributes:
        path: absolute.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path).absolute()
        self._reserved: os.stat_result | None = None

    def read(self) -> Sealed[str] | None:
        """The token; None if the file is not there, or is still blank.

        Raises:
            RegistrationError: it cannot be read, or is not a file that only its owner can write.
        """
        try:
            if not stat.S_ISREG(self.path.lstat().st_mode):
                raise RegistrationError(
                    f"the token file {self.path} is not a regular file: name a new one"
                )
            content, _ = read_private_file(self.path, "the token file", RegistrationError)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise RegistrationError(
                f"the token file {self.path} cannot be read: {error.strerror}"
            ) from error
        text = Sealed(content.open().decode("utf-8", "replace").strip())
        return text if text.open() else None

    def reserve(self) -> None:
        """Create the file, with room for the token.

        Raises:
            RegistrationError: it cannot be created, or has something in it.
        """
        if self.read() is not None:
            raise RegistrationError(
                f"the token file {self.path} is there already, and not empty: name a new one"
            )
        try:
            self.path.unlink(missing_ok=True)
            create_private_file(self.path, Sealed(_BLANK))
            self._reserved = self.path.lstat()
        except OSError as error:
            raise RegistrationError(
                f"the token file {self.path} cannot be created: {error.strerror}. Nothing was "
                "registered"
            ) from error

    def release(self) -> None:
        """Remove the file if it is still blank."""
        with suppress(OSError, RegistrationError):
            if self.read() is None:
                self.path.unlink(missing_ok=True)

    def write(self, token: Sealed[str], owner: str) -> None:
        """Keep the token; where the file cannot be written any more, in another new one.

        Args:
            token: as the API sent it.
            owner: names what the token is of, in an error.

        Raises:
            RegistrationError: it is in another file, which the message names; or lost.
        """
        try:
            self._fill(token)
        except OSError as error:
            raise RegistrationError(
                f"the token of {owner} could not be written to {self.path} ({error.strerror}). "
                f"{_rescued(token)}"
            ) from error

    def _fill(self, token: Sealed[str]) -> None:
        with self.path.open("r+b") as stream:
            found = os.fstat(stream.fileno())
            if self._reserved is None or not os.path.samestat(found, self._reserved):
                raise OSError(errno.ESTALE, "it was replaced meanwhile")
            stream.write(token.open().encode("utf-8") + b"\n")
            stream.truncate()
            stream.flush()
            os.fsync(stream.fileno())


def file_reference(path: Path, config: Path | None) -> dict[str, str]:
    """A file as a configuration file refers to it: by its name alone if it is beside that one."""
    is_beside = config is not None and path.parent == config.parent
    return {"file": path.name if is_beside else str(path)}


def _rescued(token: Sealed[str]) -> str:
    """Where the token was put instead, for an error."""
    try:
        folder = Path(tempfile.mkdtemp(prefix="dfns-signers-"))
        create_private_file(folder / "token", Sealed(token.open().encode("utf-8") + b"\n"))
    except OSError:
        return (
            "It is lost, for it is shown only once: run this again with --replace (replace=True), "
            "which deletes what was registered and registers it anew"
        )
    return (
        f"It is in {folder / 'token'}, which only you can read: move it to where you want it, and "
        "run this again with that token file"
    )
