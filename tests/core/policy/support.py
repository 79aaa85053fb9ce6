"""Rules and calls that tests judge."""

from __future__ import annotations

import json
from collections.abc import Mapping
from hashlib import sha256
from typing import Any, Final

import pytest

from dfns_signers.announced_call import AnnouncedCall
from dfns_signers.errors import ConfigurationError
from dfns_signers.policy.policy import Policy
from dfns_signers.policy.rule import Rule

TITLE: Final = "the profile 'production'"
TRANSFERS: Final = "POST /wallets/{walletId}/transfers"
DESTINATION: Final = "0x00000000219ab540356cbb839cbe05303d7705fa"
DIGEST: Final = sha256(b"token-of-the-caller").hexdigest()

PAYOUTS: Final[Mapping[str, Any]] = {
    "name": "payouts",
    "call": TRANSFERS,
    "path": {"walletId": ["wa-1"]},
    "body": {"kind": ["Native"], "to": [DESTINATION], "amount": {"max": "1000"}},
    "require": ["externalId"],
}
"""A rule that names all that matters of a transfer."""

TRANSFER: Final[Mapping[str, Any]] = {
    "kind": "Native",
    "to": DESTINATION,
    "amount": "1000",
    "externalId": "order-7",
}
"""A body that ``PAYOUTS`` allows."""


def rule(**keys: Any) -> Rule:
    return Rule.model_validate({"name": "rule", **keys}, strict=True)


def policy(*rules: Mapping[str, Any], **settings: Any) -> Policy:
    return Policy([rule(**one) for one in rules], **{"title": TITLE, **settings})


def call(method: str, path: str, body: Any = None, query: str = "") -> AnnouncedCall:
    """A call; a body that is a string is the text itself."""
    text = "" if body is None else body if isinstance(body, str) else json.dumps(body)
    return AnnouncedCall(method, path, text, query)


def transfer(wallet: str = "wa-1", /, **members: Any) -> AnnouncedCall:
    """The call that ``PAYOUTS`` allows, with other or further members."""
    return call("POST", f"/wallets/{wallet}/transfers", {**TRANSFER, **members})


def reasons(rules: Policy, judged: AnnouncedCall) -> list[str]:
    """Why the rules that name the operation do not allow a call; none if one does."""
    decision = rules.judge(judged)
    assert (decision.rule is None) == bool(decision.check)
    return [reason for _, reason in decision.reasons]


def refused_at_load(*rules: Mapping[str, Any], **settings: Any) -> str:
    with pytest.raises(ConfigurationError) as caught:
        policy(*rules, **settings)
    return str(caught.value)
