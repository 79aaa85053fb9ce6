"""The head of a request as it came."""

from __future__ import annotations

import re
from typing import Final

from dfns_signers.gateway.messages import Refusal

MAX_HEAD: Final = 16_384
"""Bytes that a request line and its headers may have together."""

_BARE_LINE_FEED: Final = re.compile(rb"(?<!\r)\n")
_FOLDED: Final = re.compile(rb"\n[ \t]")


def check_head(head: bytes) -> None:
    """Refuse what parsers read differently.

    Args:
        head: the request line and the headers, with the empty line at their end.

    Raises:
        Refusal: 400 or 431.
    """
    if len(head) > MAX_HEAD:
        raise Refusal(431, "head-size", f"the headers are over {MAX_HEAD} bytes")
    if _BARE_LINE_FEED.search(head):
        raise Refusal(400, "line-end", "a line of the request does not end in CR and LF")
    if _FOLDED.search(head):
        raise Refusal(400, "folded-header", "a header goes on in the next line")
