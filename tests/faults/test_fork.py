"""A client that was used before a fork uses connections of its own in each child."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from dfns_signers import KeySigner
from dfns_signers.emulator import Emulator
from tests.soak.driving import Target
from tests.soak.interruptions import forked
from tests.soak.rounds import public_pem, wallets_by_name
from tests.support.dfns_requests import CallLabels
from tests.support.fault_proxy import FaultProxy

LABELS = [f"call-0-{number}" for number in range(9)]


@pytest.fixture
def emulator(signer: KeySigner) -> Iterator[Emulator]:
    with Emulator(credentials={signer.credential_id: public_pem(signer)}) as running:
        yield running


def test_children_share_no_connection_with_each_other_or_their_parent(
    emulator: Emulator, signer: KeySigner
) -> None:
    with FaultProxy(emulator.url, labels=CallLabels()) as proxy:
        played = forked(Target(proxy.url, emulator.auth_token, signer, timeout=10), LABELS)

    processes = [LABELS[:1], *(LABELS[1 + child :: 4] for child in range(4))]
    used = [set().union(*map(proxy.connections, labels)) for labels in processes]
    assert sum(map(len, used)) == len(set().union(*used)), f"connections of each process: {used}"
    assert {outcome.label: outcome.result["name"] for outcome in played.outcomes} == {
        label: label for label in LABELS
    }
    assert wallets_by_name(emulator) == dict.fromkeys(LABELS, 1)
