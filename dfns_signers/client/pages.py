"""Walk through paginated lists. Source: Dfns API reference, pagination."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from dfns_signers.client.call import Call
from dfns_signers.errors import UnexpectedResponseError


class Pages:
    """Knows which page comes next; the requests themselves are left to the caller.

    Attributes:
        next: the call for the next page; None after the last.
    """

    def __init__(self, call: Call[Any]) -> None:
        self.next: Call[Any] | None = call
        self._call = call
        self._visited = {call.params.get("paginationToken")}

    def items(self, page: object) -> list[Any]:
        """The items of the page that answered the ``next`` call, if it is one and leads on."""
        items = page.get("items") if isinstance(page, Mapping) else None
        if not isinstance(page, Mapping) or not isinstance(items, list):
            raise UnexpectedResponseError(f"GET {self._call.path} returned no list of 'items'")
        token = page.get("nextPageToken")
        if not token:
            self.next = None
            return items
        if not isinstance(token, str):
            raise UnexpectedResponseError(
                f"GET {self._call.path} returned a 'nextPageToken' that is not a string"
            )
        if token in self._visited:
            raise UnexpectedResponseError(f"GET {self._call.path} returned the same page twice")
        self._visited.add(token)
        self.next = replace(self._call, params={**self._call.params, "paginationToken": token})
        return items
