"""What a client does where neither code nor configuration says otherwise."""

from typing import Final

BASE_URL: Final = "https://api.dfns.io"
TIMEOUT: Final = 30.0
"""Seconds for each request."""
MAX_ATTEMPTS: Final = 3
"""How often a call is tried where repeating is safe."""
CALL_TIMEOUT: Final = 120.0
"""Seconds for a call as a whole."""
MAX_RETRY_AFTER: Final = 30.0
"""Seconds to wait at most where a server asks for a pause."""
KEEPALIVE_EXPIRY: Final = 55.0
"""Seconds for which an idle connection is kept; many servers close theirs after 60."""
