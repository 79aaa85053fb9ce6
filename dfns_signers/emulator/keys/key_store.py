"""Where all keys are kept."""

from __future__ import annotations

from typing import Final

KEY_STORE: Final = {"id": "ks-local0-00000-0000000000000000", "kind": "Mpc"}
