"""Lists page by page, with tokens that fit the list they are from only."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import Final, TypeVar

from cloud_kms_emulator.refusals import invalid

_MAXIMUM: Final = 1000

ItemT = TypeVar("ItemT")


def page_of(
    items: Sequence[ItemT], *, parent: str, size: int, token: str, default: int
) -> tuple[list[ItemT], str]:
    """One page.

    Args:
        items: the whole list.
        parent: what it lists the children of.
        size: how many the request asks for; 0 for the default.
        token: ``next_page_token`` of the page before, or ``""``.
        default: how many items a page has by default.

    Returns:
        The items, and the token of the next page or ``""``.

    Raises:
        Refusal: INVALID_ARGUMENT, a negative size or a foreign token.
    """
    if size < 0:
        raise invalid(f"page_size {size} is negative.")
    start = _start(token, parent, len(items))
    end = start + min(size or default, _MAXIMUM)
    more = end < len(items)
    return list(items[start:end]), _token(parent, end) if more else ""


def _token(parent: str, start: int) -> str:
    return base64.urlsafe_b64encode(f"{start}@{parent}".encode()).decode("ascii")


def _start(token: str, parent: str, length: int) -> int:
    starts = (start for start in range(1, length) if _token(parent, start) == token)
    start = next(starts, None) if token else 0
    if start is None:
        raise invalid(f"page_token {token!r} is not from a page of {parent}.")
    return start
