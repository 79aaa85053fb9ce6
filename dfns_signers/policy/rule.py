"""A rule as the configuration has it."""

from __future__ import annotations

from typing import Annotated, Any, Final

from pydantic import Field, PlainValidator

from dfns_signers.backends.options import StrictModel
from dfns_signers.rate_limits.rates import RateText

ANY: Final = "any"
"""``members`` of a rule that leaves the body open."""


def _members(value: Any) -> Any:
    if value == ANY or (isinstance(value, list) and all(isinstance(one, str) for one in value)):
        return value
    raise ValueError(f"expected an array of strings, or {ANY!r}")


class Rule(StrictModel):
    """One ``[[….allow]]`` table: allows calls for which all of it holds."""

    name: str = Field(
        min_length=1, description="Names the rule in refusals and in the audit trail."
    )
    call: str = Field(
        description="Method and path, such as `POST /wallets/{walletId}/transfers`; an "
        "identifier may stand in the place of its placeholder."
    )
    path: dict[str, list[str]] = Field(
        default={}, description="Values that a path parameter may have, by its name."
    )
    body: dict[str, Any] = Field(
        default={},
        description="Values that a member of the body may have, by its name: one, an array of "
        'them, or `{ min = "1", max = "1000" }` for an amount.',
    )
    members: Annotated[list[str] | str | None, PlainValidator(_members)] = Field(
        default=None,
        description='Members that the body may have, or `"any"`. By default those that `body` and '
        "`require` name, if the rule has `body` or the class of the call is `money`, `blind` or "
        "`escalating`; else any that gives no power.",
    )
    require: list[str] = Field(
        default=[], description="Members that the body must have, such as `externalId`."
    )
    query: list[str] | None = Field(
        default=None,
        description="Query parameters that the call may have. By default none for a signed call, "
        "and any for another.",
    )
    rate: RateText | None = Field(
        default=None, description="How many of the calls, such as `10/minute`, in any such time."
    )
    escalates: bool = Field(
        default=False,
        description="Whether the rule may allow what gives power: credentials, tokens, accounts, "
        "permissions, policies, exports.",
    )
    blind: bool = Field(
        default=False,
        description="Whether the rule may allow a signature of what its body does not show.",
    )
