"""Members of ordinary calls that give power, and pass only where a rule says so."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from dfns_signers.operations import Operation
from dfns_signers.policy.members import Name

POWERFUL_MEMBERS: Final[Mapping[str, frozenset[Name]]] = {
    "POST /keys": frozenset({("delegateTo",), ("deriveFrom",)}),
    "POST /wallets": frozenset(
        {("delegateTo",), ("signingKey", "deriveFrom"), ("signingKey", "id")}
    ),
}
"""They hand a key to an end user, or put to use a key that exists, which may have policies.

Source: Dfns API reference, which asks for further permissions where they are given: Keys:Delegate,
Keys:Reuse, Keys:ChildKeys:Create.
"""


def powerful_members(operation: Operation | None) -> frozenset[Name]:
    """Those of an operation."""
    return POWERFUL_MEMBERS.get(str(operation), frozenset())
