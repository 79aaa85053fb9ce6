"""In the signing path, the rules of the caller and those of the profile are judged again."""

from __future__ import annotations

from pathlib import Path

import pytest

from dfns_signers.announced_call import AnnouncedCall
from dfns_signers.audit.trail import AuditTrail
from dfns_signers.config.guard import Guard, Judge
from dfns_signers.errors import PolicyRefusedError
from dfns_signers.gateway.callers.callers import Caller, Callers
from dfns_signers.gateway.callers.signing_rules import judges_by_caller
from dfns_signers.hooks import SigningRequest
from dfns_signers.policy.policy import Policy
from dfns_signers.policy.rule import Rule
from tests.gateway.running import running_gateway

WALLETS = Policy([Rule(name="wallets", call="POST /wallets")], title="the caller 'payments'")
PAYMENTS = Callers([Caller("payments", WALLETS)])


def call(caller: str | None, path: str = "/wallets") -> AnnouncedCall:
    return AnnouncedCall("POST", path, '{"network": "EthereumSepolia"}', caller=caller)


def judge_of(callers: Callers, call: AnnouncedCall | None) -> Judge:
    request = SigningRequest("cr-1", "k", None, {}, b"", call)
    return judges_by_caller(lambda: callers)(request)["rule"]


def test_call_is_judged_by_the_rules_of_its_caller() -> None:
    judge = judge_of(PAYMENTS, call("payments"))

    assert judge(call("payments")) == "wallets"
    with pytest.raises(PolicyRefusedError):
        judge(call("payments", "/keys"))


@pytest.mark.parametrize("asked", [None, call(None), call("web"), call("")])
def test_what_no_caller_asked_for_gets_no_signature(asked: AnnouncedCall | None) -> None:
    with pytest.raises(PolicyRefusedError, match="signs for its callers alone"):
        judge_of(PAYMENTS, asked)


def test_caller_that_was_removed_gets_no_signature() -> None:
    current = PAYMENTS
    judges_of = judges_by_caller(lambda: current)
    request = SigningRequest("cr-1", "k", None, {}, b"", call("payments"))
    assert judges_of(request)

    current = Callers([])

    with pytest.raises(PolicyRefusedError, match="'payments', which is not a caller"):
        judges_of(request)


@pytest.mark.parametrize(
    "profile",
    [
        "read_only = true",
        'allow = [{ name = "names", call = "PUT /wallets/{walletId}" }]',
    ],
)
def test_rules_of_the_profile_hold_for_every_caller(tmp_path: Path, profile: str) -> None:
    with running_gateway(tmp_path, profile=profile) as gateway, gateway.client() as caller:
        answer = caller.post("/wallets", json={"network": "EthereumSepolia"})

        assert answer.status_code == 403
        assert "the profile 'production' does not allow POST /wallets" in answer.text
        assert not gateway.emulator.requests


def test_rules_alone_have_no_signature_wait_for_a_thread(tmp_path: Path) -> None:
    of_callers = judges_by_caller(lambda: PAYMENTS)

    assert not Guard(of_callers, None, judges_may_block=False).hooks_may_block
    assert Guard(of_callers, AuditTrail(tmp_path / "audit"), judges_may_block=False).hooks_may_block
    assert Guard(of_callers, None).hooks_may_block  # rates may be counted in a store
