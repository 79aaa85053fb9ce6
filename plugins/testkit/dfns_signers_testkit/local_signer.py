"""A key on a local server, and how to open it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class LocalSigner:
    """A key on a local server.

    Attributes:
        name: shown to a person, such as ``ES256 LocalStack``.
        signer: the ``[signer]`` table that opens it.
        environment: environment variables that its credentials come from. They are those of a
            local server, so that nothing in them is secret.
    """

    name: str
    signer: Mapping[str, Any]
    environment: Mapping[str, str] = field(default_factory=dict)
