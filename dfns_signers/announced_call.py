"""The API call that a user action is for, as a value."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class AnnouncedCall:
    """The API call that a user action is for.

    Attributes:
        method: upper-case HTTP method.
        path: percent-encoded path without query and without the prefix of the base URL.
        payload: the request body as text, exactly as it will be sent; ``""`` for no body.
        query: percent-encoded query, which is not announced; ``""`` for none.
    """

    method: str
    path: str
    payload: str = field(repr=False)
    query: str = field(default="", repr=False, compare=False)

    @property
    def segments(self) -> tuple[str, ...]:
        """The segments of the path, decoded: ``("wallets", "wa-1", "transfers")``."""
        from urllib.parse import unquote  # noqa: PLC0415  # few ask

        return tuple(unquote(segment) for segment in self.path.split("/")[1:])
