"""Whether the gateway can serve: asked by probes, answered without asking Dfns or the key store."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal

from dfns_signers import worker_threads
from dfns_signers.errors import DfnsSignersError
from dfns_signers.sealed import Sealed
from dfns_signers.secrets import Secret
from dfns_signers.user_action.tokens import checked_token

State = Literal["starting", "serving", "draining"]

_PATIENCE: Final = 5.0
"""Seconds for a check: a file system that hangs must not hold a probe for longer."""

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
    """

    state: State = "starting"
    checks: Mapping[str, Callable[[], object]] = field(default_factory=dict)

    async def problems(self) -> dict[str, str | None]:
        """What is wrong, by the name of the check; None for nothing."""
        found = await asyncio.gather(*map(_problem, self.checks.values()))
        return {"state": _STATES.get(self.state), **dict(zip(self.checks, found, strict=True))}


async def _problem(check: Callable[[], object]) -> str | None:
    try:
        await asyncio.wait_for(worker_threads.run(check), _PATIENCE)
    except asyncio.TimeoutError:
        return f"no result in {_PATIENCE:g} seconds"
    except DfnsSignersError as error:
        return str(error)
    except OSError as error:
        return f"{error.filename or 'a file'}: {error.strerror or type(error).__name__}"
    return None


def require_token(token: Secret) -> None:
    """Read the token; ConfigurationError if there is none."""
    checked_token(Sealed(token.reveal()))


def require_writable(file: Path) -> None:
    """Open a file to append to it; OSError if that cannot be, or its disk is full."""
    with file.open("ab") as stream:
        status = os.fstatvfs(stream.fileno())
    if not status.f_bavail:
        raise OSError(28, "no space is left on the disk", str(file))
