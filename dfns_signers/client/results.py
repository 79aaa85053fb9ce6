"""What a call returns besides plain JSON: the 202 that means somebody has to approve first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

from dfns_signers.errors import ApprovalRequiredError


@dataclass(frozen=True, slots=True)
class ChangeRequest:
    """A 202 answer: a policy wants approval, and nothing has changed yet.

    It is not the entity that a 200 would have returned: taking a member of it raises
    ApprovalRequiredError, so that the id of a change request is never taken for that of a wallet.

    Attributes:
        body: what the API sent.
    """

    body: Mapping[str, Any]

    @property
    def id(self) -> str | None:
        """Identifier of the change request."""
        return self._text("id")

    @property
    def approval_id(self) -> str | None:
        """Identifier of the approval that it waits for, where the API gave one."""
        return self._text("approvalId")

    @property
    def status(self) -> str | None:
        """Such as ``Pending``."""
        return self._text("status")

    def __getitem__(self, member: str) -> NoReturn:
        raise ApprovalRequiredError(
            f"there is no {member!r} yet: a policy wants approval first "
            f"({self.approval_id or self.id}), and nothing has changed. Check for a ChangeRequest "
            "before you use the result; its 'body' has what the API sent"
        )

    def _text(self, name: str) -> str | None:
        member = self.body.get(name)
        return member if isinstance(member, str) else None
