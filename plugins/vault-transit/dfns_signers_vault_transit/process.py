"""The process that something belongs to: its threads and connections are not a forked child's."""

from __future__ import annotations

import os

from dfns_signers.plugin import errors


class Process:
    """The process in which this was made."""

    def __init__(self) -> None:
        self._id = os.getpid()

    def require(self, what: str) -> None:
        """Refuse to go on in a child that was forked from it.

        Raises:
            SigningKeyError: this is another process.
        """
        if os.getpid() != self._id:
            raise errors.SigningKeyError(
                f"{what} was made before this process was forked, and its connections and threads "
                "belong to the parent: make it in the child process"
            )
