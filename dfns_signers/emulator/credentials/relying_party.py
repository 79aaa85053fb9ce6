"""The site that passkeys belong to."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

from dfns_signers.emulator.origins import check_origins
from dfns_signers.errors import ConfigurationError

NAME: Final = "Dfns emulator"


@dataclass(frozen=True, slots=True)
class RelyingParty:
    """Which pages may ask for passkeys (WebAuthn).

    Attributes:
        rp_id: a domain.
        origins: such as ``https://app.example.com``; without any, those whose host is the domain
            or is below it, at any port.

    Raises:
        ConfigurationError: the domain or an origin is not valid.
    """

    rp_id: str = "localhost"
    origins: Sequence[str] = field(default=())

    def __post_init__(self) -> None:
        if not self.rp_id or urlsplit(f"//{self.rp_id}").hostname != self.rp_id:
            raise ConfigurationError(
                f'rp_id must be a domain in lower case, such as "localhost", and is "{self.rp_id}"'
            )
        check_origins(self.origins)

    @property
    def id_hash(self) -> bytes:
        """SHA-256 of the domain, as authenticators sign it."""
        return hashlib.sha256(self.rp_id.encode("ascii")).digest()

    @property
    def entity(self) -> dict[str, str]:
        """The relying party as challenges name it."""
        return {"id": self.rp_id, "name": NAME}

    @property
    def expected(self) -> str:
        """The origins that are allowed, for messages."""
        if self.origins:
            return " or ".join(self.origins)
        return f"http:// or https://, {self.rp_id} or a domain below it, and any port"

    def allows(self, origin: str) -> bool:
        """Whether a page of this origin may use its passkeys."""
        if self.origins:
            return origin in self.origins
        try:
            parts = urlsplit(origin)
            host, _ = parts.hostname or "", parts.port
        except ValueError:
            return False
        is_origin = origin == f"{parts.scheme}://{parts.netloc}" and "@" not in parts.netloc
        is_below = host == self.rp_id or host.endswith(f".{self.rp_id}")
        return is_origin and is_below and parts.scheme in {"http", "https"}
