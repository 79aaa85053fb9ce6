"""Servers and policies that take no batches: each message is signed all the same."""

from __future__ import annotations

import logging
from collections import Counter
from typing import Any

import pytest

from dfns_signers.errors import InvalidSignatureError, KeyAccessError, KeyStoreUnavailableError
from dfns_signers.plugin import KeyResponse
from dfns_signers_vault_transit.signing import BatchRefusedError
from tests.core.client.scripted import Reply, ScriptedApi
from tests.core.keys import is_signature
from tests.plugins.vault_transit.conftest import OpenKey, sign_together
from tests.plugins.vault_transit.fake_paths import FAKE_SIGN
from tests.plugins.vault_transit.holding import HoldingVault
from tests.plugins.vault_transit.operator import Operator
from tests.plugins.vault_transit.test_concurrency import BURSTS, MESSAGES, Burst

# A policy whose author thought of a message in each request.
NO_BATCHES = """
path "{mount}/keys/{key}" {{ capabilities = ["read"] }}
path "{mount}/sign/{key}" {{
  capabilities = ["update"]
  allowed_parameters = {{ "input" = [], "key_version" = [] }}
}}
"""

FORBIDDEN = Reply(status=403, body={"errors": ["permission denied"]})
# Of a server that reads 'input' alone, and so signs nothing, or an empty message.
REFUSALS = {
    "forbidden": FORBIDDEN,
    "malformed": Reply(status=400, body={"errors": ["missing input"]}),
    "too large": Reply(status=413),
    "another answer": Reply(body={"data": {"signature": f"vault:v1:{'A' * 86}=="}}),
    "each item": Reply(body={"data": {"batch_results": [{"error": "no batches here"}] * 3}}),
}


@pytest.fixture
def open_held(holding: HoldingVault, open_key: OpenKey) -> OpenKey:
    """Opens a key that sends its first message alone, and the other three together."""
    batch = {"max_size": 3, "max_wait": 10}
    return lambda: open_key(
        "k", address=holding.url, mount="transit", key_version=1, batch=batch, max_attempts=1
    )


def policy_without_batches(operator: Operator, key: str) -> str:
    return operator.token(operator.policy(NO_BATCHES.format(mount=operator.mount, key=key)))


def test_policy_that_allows_no_batches_refuses_them(operator: Operator) -> None:
    name = operator.key()
    token = policy_without_batches(operator, name)

    outcomes = sign_together(
        MESSAGES[:3], at=operator.server.address, mount=operator.mount, key=name, token=token
    )

    assert [type(outcome) for outcome in outcomes] == [KeyResponse, *[BatchRefusedError] * 2]


@BURSTS
def test_burst_is_signed_under_a_policy_that_allows_no_batches(
    burst: Burst, operator: Operator, open_key: OpenKey
) -> None:
    name = operator.key()
    auth = {"method": "token", "token": policy_without_batches(operator, name)}

    signatures = burst(open_key(name, auth=auth), MESSAGES)

    public = operator.public_key(name)
    assert all(is_signature(public, m, s.value) for m, s in zip(MESSAGES, signatures, strict=True))


@BURSTS
@pytest.mark.parametrize("refusal", REFUSALS.values(), ids=REFUSALS)
def test_messages_of_a_refused_batch_are_sent_alone_and_so_are_all_that_follow(
    refusal: Reply,
    burst: Burst,
    holding: HoldingVault,
    open_held: Any,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.WARNING)
    holding.refusal = refusal
    key = open_held()

    first, second = burst(key, MESSAGES[:4]), burst(key, MESSAGES[:4])

    assert Counter(holding.sizes) == {1: 8, 3: 1}
    assert Counter(s.evidence.attempts for s in first) == {1: 1, 2: 3}
    assert Counter(s.evidence.attempts for s in second) == {1: 4}
    (warning,) = [one.getMessage() for one in caplog.records if one.name.startswith("dfns_signers")]
    assert "each message is sent alone" in warning
    assert "set batch = false" in warning


@BURSTS
def test_messages_that_wait_while_a_batch_is_refused_are_sent_once(
    burst: Burst, holding: HoldingVault, open_held: Any
) -> None:
    holding.refusal = FORBIDDEN

    signatures = burst(open_held(), MESSAGES[:6])

    assert Counter(holding.sizes) == {1: 6, 3: 1}
    assert Counter(s.evidence.attempts for s in signatures) == {1: 3, 2: 3}


def test_batch_whose_messages_are_refused_alone_too_costs_one_request_more(
    fake: ScriptedApi,
) -> None:
    fake.on(FAKE_SIGN, always=FORBIDDEN)

    outcomes = sign_together(MESSAGES, at=fake.url)

    assert {type(outcome) for outcome in outcomes} == {KeyAccessError}
    assert len(fake.sent(FAKE_SIGN)) == 2


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (Reply(status=503), KeyStoreUnavailableError),
        (
            Reply(body={"data": {"batch_results": [{"signature": "vault:v2:AAAA"}] * 2}}),
            InvalidSignatureError,
        ),
    ],
)
def test_batch_that_failed_for_another_reason_is_not_sent_message_by_message(
    reply: Reply, error: type[Exception], fake: ScriptedApi
) -> None:
    fake.on(FAKE_SIGN, always=reply)

    outcomes = sign_together(MESSAGES[:2], at=fake.url)

    assert [type(outcome) for outcome in outcomes] == [error] * 2
    assert len(fake.sent(FAKE_SIGN)) == 1
