"""What a client does where neither code nor configuration says otherwise."""

from typing import Final

BASE_URL: Final = "https://api.dfns.io"
TIMEOUT: Final = 30.0
"""Seconds for each request."""
MAX_ATTEMPTS: Final = 3
"""How often a call is tried where repeating is safe."""
