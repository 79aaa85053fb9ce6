"""Which policies concern an activity, and which of them it triggers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, NamedTuple

from dfns_signers.emulator.keys.ownership import wallets_of
from dfns_signers.emulator.requests.wire import iso_date
from dfns_signers.emulator.state import Record, State

SECONDS_PER_MINUTE: Final = 60


class Evaluation(NamedTuple):
    """What a policy says to an activity."""

    policy: Record
    triggered: bool
    reason: str

    @property
    def view(self) -> Record:
        """As approvals show it."""
        return {
            "policyId": self.policy["id"],
            "triggered": self.triggered,
            "reason": self.reason,
        }


def evaluate(state: State, kind: str, activity: Record) -> list[Evaluation]:
    """What each active policy says that is about this kind of activity and passes its filters."""
    (request,) = activity.values()
    return [
        Evaluation(policy, *_judged(state, policy["rule"], request))
        for policy in state.policies.all()
        if policy["status"] == "Active"
        and policy["activityKind"] == kind
        and _concerns(state, policy.get("filters", {}), request)
    ]


def _concerns(state: State, filters: Mapping[str, Any], request: Record) -> bool:
    return all(_FILTERS[name](state, value, request) for name, value in filters.items())


def _wallets(state: State, request: Record) -> list[Record]:
    """The wallets that a request is about: of a key's signature, those that the key signs for."""
    if "walletId" in request:
        return [state.wallets.get(request["walletId"])]
    return wallets_of(state, request["keyId"]) if "keyId" in request else []


def _has_tags(wanted: Mapping[str, list[str]], tags: Iterable[str]) -> bool:
    found = set(tags)
    has_any = "hasAny" not in wanted or bool(found & set(wanted["hasAny"]))
    return has_any and found >= set(wanted.get("hasAll", ()))


def _permission_id(request: Record) -> str:
    identifier: str = request["body"].get("permissionId", request["entityId"])
    return identifier


_FILTERS: Final[Mapping[str, Callable[[State, Any, Record], bool]]] = {
    "walletId": lambda state, wanted, request: any(
        wallet["id"] in wanted["in"] for wallet in _wallets(state, request)
    ),
    "walletTags": lambda state, wanted, request: any(
        _has_tags(wanted, wallet["tags"]) for wallet in _wallets(state, request)
    ),
    "permissionId": lambda _, wanted, request: _permission_id(request) in wanted["in"],
    "policyId": lambda _, wanted, request: request["entityId"] in wanted["in"],
}


def _judged(state: State, rule: Mapping[str, Any], request: Record) -> tuple[bool, str]:
    judge = _RULES.get(rule["kind"])
    if judge is None:
        return False, f"{rule['kind']} asks a service that the emulator does not have"
    return judge(state, rule.get("configuration", {}), request)


def _always(_state: State, _rule: Mapping[str, Any], _request: Record) -> tuple[bool, str]:
    return True, "AlwaysTrigger"


def _whitelist(_state: State, rule: Mapping[str, Any], request: Record) -> tuple[bool, str]:
    recipients = _recipients(request.get("requestBody", {}))
    if not recipients:
        return True, "the recipient cannot be read from the request"
    listed = {_comparable(address) for address in rule["addresses"]}
    others = [address for address in recipients if _comparable(address) not in listed]
    if others:
        return True, f"{others[0]} is not on the whitelist"
    return False, "every recipient is on the whitelist"


def _amount_limit(_state: State, rule: Mapping[str, Any], request: Record) -> tuple[bool, str]:
    return _compared(_dollars(request), rule["limit"])


def _amount_velocity(state: State, rule: Mapping[str, Any], request: Record) -> tuple[bool, str]:
    amount = _dollars(request)
    if amount is not None:
        earlier = _earlier(state, rule["timeframe"], request)
        amount += sum(_dollars(one) or 0 for one in earlier)
    return _compared(amount, rule["limit"])


def _count_velocity(state: State, rule: Mapping[str, Any], request: Record) -> tuple[bool, str]:
    count = len(_earlier(state, rule["timeframe"], request)) + 1
    return count > rule["limit"], f"{count} in {rule['timeframe']} minutes, limit {rule['limit']}"


_RULES: Final[Mapping[str, Callable[[State, Mapping[str, Any], Record], tuple[bool, str]]]] = {
    "AlwaysTrigger": _always,
    "TransactionRecipientWhitelist": _whitelist,
    "TransactionAmountLimit": _amount_limit,
    "TransactionAmountVelocity": _amount_velocity,
    "TransactionCountVelocity": _count_velocity,
}


def _recipients(body: Mapping[str, Any]) -> list[str]:
    if isinstance(body.get("to"), str):
        return [body["to"]]
    return [operation["to"] for operation in body.get("userOperations", ())]


def _comparable(address: str) -> str:
    """Hexadecimal addresses mean the same in any case; others do not."""
    return address.lower() if address.lower().startswith("0x") else address


def _compared(amount: float | None, limit: float) -> tuple[bool, str]:
    if amount is None:
        return True, "the amount in USD is not known"
    return amount > limit, f"{amount:.2f} USD, limit {limit}"


def _dollars(request: Record) -> float | None:
    """The amount of a transfer by the price that its metadata has; None without one."""
    asset = request.get("metadata", {}).get("asset", {})
    amount = request.get("requestBody", {}).get("amount")
    price = asset.get("quotes", {}).get("USD")
    if amount is None or price is None or "decimals" not in asset:
        return None
    return float(int(amount) * price / 10 ** asset["decimals"])


def _earlier(state: State, minutes: float, request: Record) -> list[Record]:
    """The transfers and transactions of the same wallet in so many minutes before this one."""
    now = state.clock()
    since = iso_date(max(0.0, min(now, now - minutes * SECONDS_PER_MINUTE)))
    return [
        one
        for one in (*state.collection("Transfer").all(), *state.collection("Transaction").all())
        if one["id"] != request["id"]
        and one["walletId"] == request.get("walletId")
        and one["dateRequested"] >= since
    ]
