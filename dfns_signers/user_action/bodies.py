"""JSON bodies, serialised once: the bytes that are announced are the bytes that are sent."""

from __future__ import annotations

import json
from typing import Any

from dfns_signers.errors import RequestError


def to_json_bytes(value: Any) -> bytes:
    """Compact JSON in UTF-8.

    Raises:
        RequestError: not JSON: NaN, infinity, a lone surrogate, a cycle, or an object of a type
            that JSON does not have.
    """
    try:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode(
            "utf-8"
        )
    except (TypeError, ValueError, RecursionError) as error:
        raise RequestError(f"the body cannot be sent as JSON: {error}") from error
