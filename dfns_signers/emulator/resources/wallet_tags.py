"""``/wallets/{walletId}/tags``; the DELETE has a JSON body."""

from __future__ import annotations

from dfns_signers.emulator.exchange import Answer, json_answer
from dfns_signers.emulator.fields import list_of, members
from dfns_signers.emulator.resources.wallets import TAG
from dfns_signers.emulator.routes import Call, Route

_TAGS = members({"tags": list_of(TAG)})
_PATH = "/wallets/{walletId}/tags"


def add(call: Call) -> Answer:
    """Add tags; those it has stay."""
    wallet = call.state.wallets.get(call.parameters["walletId"])
    wallet["tags"] = list(dict.fromkeys([*wallet["tags"], *call.body["tags"]]))
    return json_answer(wallet)


def remove(call: Call) -> Answer:
    """Remove tags; those it does not have are ignored."""
    wallet = call.state.wallets.get(call.parameters["walletId"])
    wallet["tags"] = [tag for tag in wallet["tags"] if tag not in call.body["tags"]]
    return json_answer(wallet)


ROUTES = (
    Route("PUT", _PATH, add, _TAGS, entity="Wallet"),
    Route("DELETE", _PATH, remove, _TAGS, entity="Wallet"),
)
