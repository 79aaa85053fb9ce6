"""What rules allow together, what they say of a call, and how they refuse it."""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from typing import Any

import pytest

from dfns_signers.cli.operation_members import written_out
from dfns_signers.errors import PolicyRefusedError
from dfns_signers.operations import operations, shapes_of
from dfns_signers.operations.table import Operation
from dfns_signers.policy.sensitive_reads import SENSITIVE_READS
from tests.core.policy.support import PAYOUTS, TITLE, TRANSFERS, call, policy, transfer

READS = [one for one in operations() if one.method == "GET"]
RATED: Mapping[str, Any] = {**PAYOUTS, "rate": "2/hour"}
CREATE = call("POST", "/wallets", {"network": "Base"})


class Counter:
    """Has room for so many calls of each rule, and asks to wait 30 seconds then."""

    def __init__(self, **room: int) -> None:
        self.room = room
        self.asked: list[tuple[str, str]] = []

    def __call__(self, rule: str, rate: str) -> float:
        self.asked.append((rule, rate))
        self.room[rule] = self.room.get(rule, 0) - 1
        return 30.0 if self.room[rule] < 0 else 0.0


def refusal(rules: Any, judged: Any) -> PolicyRefusedError:
    with pytest.raises(PolicyRefusedError) as caught:
        rules.require(judged)
    return caught.value


def path_of(one: Operation) -> str:
    return "/".join("x-1" if part[:1] == "{" else part for part in one.path.split("/"))


def test_without_rules_all_is_allowed() -> None:
    assert policy().judge(CREATE).rule == ""


def test_without_rules_nothing_is_allowed_where_the_default_is_to_deny() -> None:
    assert policy(default_deny=True).judge(CREATE).check == "no-rule"


def test_one_rule_denies_all_that_it_does_not_allow() -> None:
    assert policy(PAYOUTS).judge(CREATE).check == "no-rule"


def test_read_only_policy_refuses_what_a_rule_allows() -> None:
    assert policy(PAYOUTS, read_only=True).judge(transfer()).check == "read-only"


@pytest.mark.parametrize("one", operations(), ids=str)
def test_read_only_policy_allows_unsigned_operations_that_only_read(one: Operation) -> None:
    check = policy(read_only=True).judge(call(one.method, path_of(one))).check

    assert check == ("" if one.operation_class == "read" and not one.signed else "read-only")


def test_read_only_policy_refuses_an_operation_that_is_not_known() -> None:
    assert policy(read_only=True).judge(call("GET", "/novelties")).check == "read-only"


@pytest.mark.parametrize("one", READS, ids=str)
def test_reads_allow_every_get_but_the_sensitive_ones(one: Operation) -> None:
    rules = policy(default_deny=True, reads=True)

    expected = "no-rule" if str(one) in SENSITIVE_READS else ""
    assert rules.judge(call("GET", path_of(one))).check == expected


@pytest.mark.parametrize("one", [o for o in operations() if o.method != "GET"], ids=str)
def test_reads_allow_nothing_that_is_not_a_get(one: Operation) -> None:
    """Of the POSTs that are not signed, some answer with tokens."""
    rules = policy(default_deny=True, reads=True)

    assert rules.judge(call(one.method, path_of(one))).check == "no-rule"


@pytest.mark.parametrize("path", ["/novelties", "/wallets/wa-1/novelties"])
def test_reads_do_not_allow_an_operation_that_is_not_known(path: str) -> None:
    assert policy(default_deny=True, reads=True).judge(call("GET", path)).check == "no-rule"


def test_reads_do_not_widen_a_rule_that_names_the_operation() -> None:
    rules = policy({"call": "GET /wallets/wa-1"}, reads=True)

    assert rules.judge(call("GET", "/wallets/wa-1")).rule == "rule"
    assert rules.judge(call("GET", "/wallets/wa-2")).check == "conditions"


@pytest.mark.parametrize("template", SENSITIVE_READS)
def test_sensitive_read_is_allowed_by_a_rule_that_names_it(template: str) -> None:
    method, _, path = template.partition(" ")
    judged = call(method, "/".join("x-1" if p[:1] == "{" else p for p in path.split("/")))

    assert policy({"call": template}).judge(judged).rule == "rule"
    assert "'reads' is not enough" in str(refusal(policy(default_deny=True, reads=True), judged))


def test_every_read_whose_answer_may_have_a_token_is_sensitive() -> None:
    with_tokens = {
        str(one)
        for one in READS
        if {"accessToken", "actionToken"} & names_in(shapes_of(one).response)
    }

    assert len(with_tokens) > 3
    assert with_tokens - set(SENSITIVE_READS) == set()
    assert set(SENSITIVE_READS) <= {str(one) for one in READS}


def test_every_read_of_an_address_that_events_are_sent_to_is_sensitive() -> None:
    """Who knows it may send events there; its query may have a token."""
    with_addresses = {str(one) for one in READS if "url" in names_in(shapes_of(one).response)}

    assert with_addresses
    assert with_addresses - set(SENSITIVE_READS) == set()


def test_every_read_whose_answer_may_have_a_signature_is_sensitive() -> None:
    with_signatures = {
        str(one) for one in READS if "signature" in names_in(shapes_of(one).response)
    }
    events = {f"GET /webhooks/{{webhookId}}/events{one}" for one in ("", "/{webhookEventId}")}

    assert len(with_signatures) > 3
    assert (with_signatures | events) - set(SENSITIVE_READS) == set()


def test_refusal_names_the_rule_that_came_nearest_and_what_to_change() -> None:
    far = {"name": "far", "call": TRANSFERS, "body": {"kind": "Erc20", "contract": "0x1"}}
    far["members"] = ["kind", "contract", "to", "amount"]

    error = refusal(policy(far, PAYOUTS), transfer(amount="1001"))

    assert str(error) == (
        f"{TITLE} does not allow POST /wallets/wa-1/transfers: rule 'payouts': 'amount' is over "
        "its max"
    )
    assert (error.check, error.rule, error.retry_after) == ("conditions", "payouts", None)


@pytest.mark.parametrize(
    ("path", "advice"),
    [
        ("/wallets", 'Add one with call = "POST /wallets"'),
        ("/auth/pats", 'Add one with call = "POST /auth/pats", with escalates = true'),
        (
            "/keys/key-1/signatures",
            'Add one with call = "POST /keys/{keyId}/signatures", with blind = true',
        ),
        ("/wallts", "No operation is known by that path (did you mean POST /wallets?)"),
    ],
)
def test_refusal_of_what_no_rule_names_says_what_to_add(path: str, advice: str) -> None:
    error = refusal(policy(PAYOUTS), call("POST", path, {}))

    assert str(error) == (
        f"{TITLE} does not allow POST {path}: no rule names the operation. {advice}"
    )
    assert (error.check, error.rule) == ("no-rule", None)


def test_refusal_of_a_path_says_what_is_wrong_with_it() -> None:
    error = refusal(policy(PAYOUTS), call("POST", "/wallets/../keys"))

    assert "'..' segment" in str(error)
    assert error.check == "path"


def test_refusal_survives_a_process_pool() -> None:
    error = refusal(policy(PAYOUTS), transfer(amount="1001"))
    copied = pickle.loads(pickle.dumps(error))

    assert (str(copied), copied.check, copied.rule) == (str(error), error.check, error.rule)


def test_call_is_counted_against_the_rate_of_the_rule_that_allows_it() -> None:
    counter = Counter(payouts=1)

    assert policy(RATED, count=counter).admit(transfer()) == "payouts"
    assert counter.asked == [("payouts", "2/hour")]


def test_call_that_is_refused_or_only_judged_is_not_counted() -> None:
    counter = Counter(payouts=1)
    rules = policy(RATED, count=counter)

    rules.judge(transfer())
    rules.require(transfer())
    with pytest.raises(PolicyRefusedError):
        rules.admit(transfer(amount="1001"))

    assert counter.asked == []


def test_amount_that_is_split_is_bounded_by_the_rate() -> None:
    rules = policy(RATED, count=Counter(payouts=2))

    rules.admit(transfer(externalId="1"))
    rules.admit(transfer(externalId="2"))
    with pytest.raises(
        PolicyRefusedError, match="used up the rate of rule 'payouts', 2/hour"
    ) as it:
        rules.admit(transfer(externalId="3"))

    assert (it.value.check, it.value.rule, it.value.retry_after) == ("rate", "payouts", 30.0)


def test_call_passes_by_another_rule_while_the_rate_of_the_first_is_used_up() -> None:
    small = {**RATED, "name": "small", "body": {**PAYOUTS["body"], "amount": {"max": "10"}}}
    rules = policy(small, RATED, count=Counter(small=1, payouts=1))

    assert [rules.admit(transfer(amount="5")) for _ in range(2)] == ["small", "payouts"]
    with pytest.raises(PolicyRefusedError):
        rules.admit(transfer(amount="5"))


def test_rate_that_nobody_can_count_refuses() -> None:
    with pytest.raises(PolicyRefusedError, match="cannot count"):
        policy(RATED).admit(transfer())


def test_explanation_has_every_rule_in_order() -> None:
    other = {"name": "wallets", "call": "POST /wallets"}
    verdicts = policy(other, PAYOUTS).explain(transfer(amount="1001"))

    assert [(one.rule, one.names, one.allows, one.failures) for one in verdicts] == [
        ("wallets", False, False, ()),
        ("payouts", True, False, ("'amount' is over its max",)),
    ]


def names_in(schema: Any) -> set[str]:
    """The names of members anywhere in a shape."""

    def walk(value: Any) -> set[str]:
        if isinstance(value, dict):
            own = set(value.get("properties", ()))
            return own.union(*map(walk, value.values()))
        return set().union(*map(walk, value)) if isinstance(value, list) else set()

    return walk(written_out(schema)) if schema else set()
