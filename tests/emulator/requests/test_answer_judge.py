"""The judge of answers, which every test of the suite relies on, sees what it should see."""

from __future__ import annotations

import json
from typing import Any

import pytest

from dfns_signers.emulator import Emulator
from dfns_signers.operations import find_operation
from tests.emulator.caller import Caller, answered
from tests.support.answer_judge import AnswerJudge, misfit

TAGGED = {"id": "wa-1", "network": "Solana", "status": "Active", "custodial": True, "tags": []}
WALLET = {**TAGGED, "dateCreated": "2026-01-01T00:00:00.000Z"}
KEY = {"id": "key-1", "scheme": "EdDSA", "curve": "ed25519", "publicKey": "00"}


@pytest.fixture
def own_judge(monkeypatch: pytest.MonkeyPatch) -> AnswerJudge:
    judge = AnswerJudge()
    judge.watch(monkeypatch)
    return judge


def test_answer_of_the_declared_shape_fits() -> None:
    assert _misfit({**WALLET, "signingKey": KEY}) == ""


@pytest.mark.parametrize(
    ("wallet", "where", "why"),
    [
        (WALLET, "$", "'signingKey' is a required property"),
        ({**WALLET, "signingKey": {**KEY, "curve": "p256"}}, "$.signingKey.curve", "'p256'"),
        ({**WALLET, "signingKey": KEY, "owner": "me"}, "$", "'owner' was unexpected"),
        ({**WALLET, "signingKey": KEY, "network": "Etherum"}, "$.network", "'Etherum'"),
    ],
    ids=["missing", "value", "unknown", "network"],
)
def test_answer_outside_its_shape_is_named(wallet: dict[str, Any], where: str, why: str) -> None:
    found = _misfit(wallet)

    assert found.startswith(f"GET /wallets/{{walletId}}: {where}: ")
    assert why in found


def test_answers_of_an_emulator_are_judged_once(
    own_judge: AnswerJudge, caller: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.support.answer_judge.misfit", lambda *_: "off")

    answered(caller.get("/auth/credentials"))

    assert own_judge.drain() == ["off"]
    assert own_judge.drain() == []


@pytest.mark.parametrize("status", [200, 503])
def test_answer_that_a_test_ordered_is_not_judged(
    own_judge: AnswerJudge, emulator: Emulator, caller: Caller, status: int
) -> None:
    emulator.fail_next("GET", "/wallets", status, body={"unlike": "any list"})

    answered(caller.get("/wallets"), status)

    assert own_judge.drain() == []


def _misfit(wallet: dict[str, Any]) -> str:
    operation = find_operation("GET", "/wallets/{walletId}")
    assert operation
    return misfit(operation, json.dumps(wallet).encode())
