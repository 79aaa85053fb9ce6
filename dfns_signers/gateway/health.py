"""Whether the gateway can serve."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

State = Literal["starting", "serving", "draining"]


@dataclass(slots=True)
class Health:
    """The state of a gateway.

    Attributes:
        state: ``serving`` from the time when each listener accepts connections and the key is open
            and pinned, ``draining`` from the first signal to end.
    """

    state: State = "starting"
