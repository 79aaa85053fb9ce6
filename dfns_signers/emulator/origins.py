"""Origins of pages, as browsers write them in the header ``Origin``."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from dfns_signers.errors import ConfigurationError

# Lower case, and the port unless it is the usual one.
_ORIGIN: Final = re.compile(r"[a-z][a-z0-9+.-]*://(?:[a-z0-9._-]+|\[[0-9a-f:]+\])(?::[0-9]{1,5})?")


def check_origins(origins: Iterable[str]) -> None:
    """Refuse what no browser sends as an origin.

    Raises:
        ConfigurationError: one of them is not an origin.
    """
    for origin in origins:
        if not _ORIGIN.fullmatch(origin):
            raise ConfigurationError(
                f"the origin {origin!r} is not valid: expected scheme, host and perhaps a port, in"
                " lower case and without a path, such as http://localhost:3000"
            )
