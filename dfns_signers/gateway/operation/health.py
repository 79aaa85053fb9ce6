"""Whether the gateway can serve: asked by probes, answered without asking Dfns or the key store."""

from __future__ import annotations

import asyncio
import errno
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal, TypeAlias

from dfns_signers import worker_threads
from dfns_signers.errors import DfnsSignersError
from dfns_signers.sealed import Sealed
from dfns_signers.secrets import Secret
from dfns_signers.user_action.tokens import checked_token

State: TypeAlias = Literal["starting", "serving", "draining"]

_STATES: Final = {
    "starting": "the key or a listener is not open yet",
    "draining": "the gateway is ending, and takes no new work",
}


@dataclass(slots=True)
class Health:
    """The state of a gateway, and what it needs besides to be ready.

    Attributes:
        state: ``serving`` from the time when the key is open and pinned and each listener accepts
            connections, ``draining`` from the first signal to end.
        checks: by name, what raises DfnsSignersError or OSError while something is wrong. Each runs
            in a worker thread, and asks neither Dfns nor the key store.
        patience: seconds for a check: a file system that hangs holds no probe for longer.
    """

    state: State = "starting"
    checks: Mapping[str, Callable[[], object]] = field(default_factory=dict)
    patience: float = 5.0

    async def problems(self) -> dict[str, str | None]:
        """What is wrong, by the name of the check; None for nothing."""
        looking = (_problem(check, self.patience) for check in self.checks.values())
        found = await asyncio.gather(*looking)
        return {"state": _STATES.get(self.state), **dict(zip(self.checks, found, strict=True))}


async def _problem(check: Callable[[], object], patience: float) -> str | None:
    try:
        await asyncio.wait_for(worker_threads.run(check), patience)
    except asyncio.TimeoutError:
        return f"no result in {patience:g} seconds"
    except DfnsSignersError as error:
        return str(error)
    except OSError as error:
        return f"{error.filename or 'a file'}: {error.strerror or type(error).__name__}"
    return None


def require_token(token: Secret) -> None:
    """Read the token; ConfigurationError if there is none."""
    checked_token(Sealed(token.reveal()))


def require_writable(file: Path) -> None:
    """See that a file can be appended to, or made; OSError if not, or if its disk is full."""
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_NONBLOCK)
    except FileNotFoundError:  # made by the first who writes
        if not os.access(file.parent, os.W_OK):
            raise
        return
    try:
        is_full = not os.fstatvfs(descriptor).f_bavail
    finally:
        os.close(descriptor)
    if is_full:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(file))
