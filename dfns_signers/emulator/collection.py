"""Entities of one kind: found by id, listed page by page."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from dfns_signers.emulator import base64url
from dfns_signers.emulator.fields import Check, text
from dfns_signers.emulator.refusals import Refusal, bad_request, not_found, quoted

Record = dict[str, Any]
"""An entity as it is sent: wire names, JSON values."""

MAXIMUM_LIMIT = 500

PAGING: Mapping[str, Check] = {
    "limit": text(1, 9, pattern="[0-9]+", expected="an integer in decimal digits"),
    "paginationToken": text(),
}


@dataclass
class Collection:
    """Entities of one kind, oldest first.

    Attributes:
        noun: what one of them is called in messages.
        page_size: entities on a page when the request names no limit.
    """

    noun: str
    page_size: int
    _records: dict[str, tuple[int, Record]] = field(default_factory=dict, repr=False)
    _added: int = 0

    def add(self, record: Record) -> Record:
        """Keep an entity under its ``id``."""
        self._added += 1
        self._records[record["id"]] = (self._added, record)
        return record

    def get(self, identifier: str) -> Record:
        """The entity of this id; refused with 404 if there is none."""
        if identifier not in self._records:
            raise not_found(self.noun, identifier)
        return self._records[identifier][1]

    def remove(self, identifier: str) -> Record:
        """Forget the entity of this id; refused with 404 if there is none."""
        record = self.get(identifier)
        del self._records[identifier]
        return record

    def all(self) -> list[Record]:
        """Every entity."""
        return [record for _, record in self._records.values()]

    def page(
        self, query: Mapping[str, str], chosen: Callable[[Record], bool] = lambda _: True
    ) -> Record:
        """One page as the Dfns docs describe it: ``items`` and perhaps ``nextPageToken``.

        Pages go by the order of creation, so that deleting what was listed skips nothing.
        """
        limit = self._limit(query)
        after = self._position(query)
        found = [
            (position, record)
            for position, record in self._records.values()
            if position > after and chosen(record)
        ]
        page: Record = {"items": [record for _, record in found[:limit]]}
        if len(found) > limit:
            page["nextPageToken"] = self._token(found[limit - 1][0])
        return page

    def _limit(self, query: Mapping[str, str]) -> int:
        limit = query.get("limit")
        if limit is None:
            return self.page_size
        if not 1 <= int(limit) <= MAXIMUM_LIMIT:
            raise bad_request(
                "query.limit",
                f"limit must be 1 to {MAXIMUM_LIMIT}, and is {quoted(limit)}.",
                field="query.limit",
            )
        return int(limit)

    def _token(self, position: int) -> str:
        return base64url.encode(f"{self.noun}:{position}".encode())

    def _position(self, query: Mapping[str, str]) -> int:
        token = query.get("paginationToken")
        if token is None:
            return 0
        try:
            noun, _, digits = base64url.decode(token).decode("utf-8").partition(":")
            position = int(digits)
        except ValueError:
            raise self._foreign_token() from None
        if noun != self.noun or not 0 < position <= self._added:
            raise self._foreign_token()
        return position

    def _foreign_token(self) -> Refusal:
        return bad_request(
            "query.paginationToken",
            "paginationToken must be a nextPageToken that this list has answered with.",
            field="query.paginationToken",
        )
