"""JSON that others wrote, parsed only where it is nested no deeper than a limit."""

from __future__ import annotations

import json
import re
from itertools import accumulate
from typing import Any, Final

MAXIMUM_NESTING: Final = 100
"""Levels of objects and arrays that JSON may have; no operation of the Dfns API needs ten."""
_ESCAPED: Final = re.compile(r"\\.", re.DOTALL)
_STEPS: Final = {ord("["): 1, ord("{"): 1, ord("]"): -1, ord("}"): -1}
_OTHERS: Final = bytes(set(range(256)) - _STEPS.keys() - {ord('"')})


def bounded_json(text: str | bytes | bytearray, **hooks: Any) -> Any:
    """Parse JSON whose nesting is measured first.

    Args:
        text: JSON as a string, or as bytes in UTF-8; bytes may begin with a byte order mark.
        hooks: as `json.loads` takes them (``object_pairs_hook``, ``parse_constant``, …).

    Raises:
        ValueError: not UTF-8, not JSON, or more than `MAXIMUM_NESTING` levels.
        TypeError: neither a string nor bytes.
    """
    if not isinstance(text, str):
        text = str(text, "utf-8-sig")
    check_nesting(text)
    return json.loads(text, **hooks)


def check_nesting(text: str) -> None:
    """Refuse JSON that is nested too deeply, for a parser that has no limit.

    Such a parser goes down to the end of the stack, and finalizers that the garbage collector runs
    there fail, of objects that have no part in it.

    Raises:
        ValueError: more than `MAXIMUM_NESTING` levels.
    """
    if text.count("[") + text.count("{") <= MAXIMUM_NESTING:
        return
    # Without escapes each quote begins or ends a string, so that every other part is outside.
    marks = _ESCAPED.sub("", text).encode("utf-8", "replace").translate(None, _OTHERS)
    outside = b"".join(marks.replace(b'""', b"").split(b'"')[::2])
    if max(accumulate(map(_STEPS.__getitem__, outside)), default=0) > MAXIMUM_NESTING:
        raise ValueError(f"nested too deeply: more than {MAXIMUM_NESTING} levels")
