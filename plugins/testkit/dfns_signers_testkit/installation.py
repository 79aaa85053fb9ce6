"""Where the program of a server is installed, and how to install it."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from dfns_signers_testkit.servers import ServerStartError


@dataclass(frozen=True, slots=True)
class Installation:
    """A server in a virtual environment of its own, whose dependencies are not those of the tests.

    Attributes:
        name: what people call the server.
        folder: the virtual environment, in the working directory.
        program: path in it of the program that starts the server.
        variable: environment variable that names another program instead.
        requirements: what pip installs into it.
    """

    name: str
    folder: str
    program: str
    variable: str
    requirements: Sequence[str]

    def find(self, environment: Mapping[str, str] = os.environ) -> Path:
        """The absolute path of the program.

        Args:
            environment: environment variables to look into.

        Raises:
            ServerStartError: the server is not installed; the message has the command that
                installs it.
        """
        chosen = environment.get(self.variable)
        # Not resolved: a virtual environment is known by the path of its own link.
        path = Path(chosen or Path(self.folder, self.program)).absolute()
        if path.is_file():
            return path
        if chosen:
            raise ServerStartError(
                f"{self.name} cannot be started: {self.variable} names {path}, which is not a file"
            )
        raise ServerStartError(
            f"{self.name} is not installed: there is no {path}. Run: {self.command()}; or set "
            f"{self.variable} to the path of another {path.name} that has it"
        )

    def command(self) -> str:
        """The shell command that installs the server where ``find`` looks for it."""
        requirements = " ".join(f'"{one}"' for one in self.requirements)
        return f"python3 -m venv {self.folder} && {self.folder}/bin/pip install {requirements}"
