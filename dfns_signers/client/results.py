"""What a call returns besides plain JSON: the 202 that means somebody has to approve first."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class ChangeRequest(dict[str, Any]):
    """A 202 answer: a policy wants approval, and nothing has changed yet.

    A dictionary of what the API sent, so that no member is lost; its type sets it apart from the
    entity that a 200 would have returned.
    """

    @property
    def id(self) -> str | None:
        """Identifier of the change request."""
        return _text(self, "id")

    @property
    def approval_id(self) -> str | None:
        """Identifier of the approval that it waits for, where the API gave one."""
        return _text(self, "approvalId")

    @property
    def status(self) -> str | None:
        """Such as ``Pending``."""
        return _text(self, "status")

    def __repr__(self) -> str:
        return f"ChangeRequest({dict.__repr__(self)})"


def _text(value: Mapping[str, Any], name: str) -> str | None:
    member = value.get(name)
    return member if isinstance(member, str) else None
