"""Walk through paginated lists. Source: Dfns API reference, pagination."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dfns_signers.client.call import Call, QueryValue
from dfns_signers.errors import UnexpectedResponseError


class Pages:
    """Knows which page comes next; the requests themselves are left to the caller."""

    def __init__(self, call: Call[Any]) -> None:
        self._call = call
        self._params: dict[str, QueryValue] = dict(call.params)
        self._visited = {self._params.get("paginationToken")}

    def next_call(self) -> Call[Any]:
        """The call for the next page."""
        return Call(self._call.method, self._call.path, params=dict(self._params))

    def items(self, page: object) -> tuple[list[Any], bool]:
        """The items of a page, and whether another page follows.

        Raises:
            UnexpectedResponseError: the answer is not a page, or points back to itself.
        """
        items = page.get("items") if isinstance(page, Mapping) else None
        if not isinstance(page, Mapping) or not isinstance(items, list):
            raise UnexpectedResponseError(f"GET {self._call.path} returned no list of 'items'")
        token = page.get("nextPageToken")
        if not token:
            return items, False
        if not isinstance(token, str):
            raise UnexpectedResponseError(
                f"GET {self._call.path} returned a 'nextPageToken' that is not a string"
            )
        if token in self._visited:
            raise UnexpectedResponseError(f"GET {self._call.path} returned the same page twice")
        self._visited.add(token)
        self._params["paginationToken"] = token
        return items, True
