"""A gateway whose key in Vault Transit cannot sign for a while."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from dfns_signers.emulator import Emulator
from tests.plugins.gateway_outages import (
    address_of,
    assert_says_so_and_recovers,
    unreachable,
)
from tests.plugins.vault_transit.operator import Operator
from tests.support.byte_fault_proxy import ByteFaultProxy


def signer_of(operator: Operator, key: str, address: str, token: str) -> dict[str, Any]:
    return {
        "backend": "vault-transit",
        "address": address,
        "auth": {"method": "token", "token": token},
        "mount": operator.mount,
        "key": key,
        "key_version": 1,
    }


def test_key_signs_again_once_the_policy_allows_it(
    operator: Operator, dfns_emulator: Emulator, tmp_path: Path
) -> None:
    key = operator.key()
    policy = operator.signing_policy(key)
    rules = operator.client.sys.read_policy(policy)["data"]["rules"]

    @contextmanager
    def denied() -> Iterator[None]:
        operator.client.sys.create_or_update_policy(policy, rules.replace("update", "list"))
        yield
        operator.client.sys.create_or_update_policy(policy, rules)

    signer = signer_of(operator, key, operator.server.address, operator.token(policy))

    assert_says_so_and_recovers(dfns_emulator, tmp_path, signer, denied, "key")


def test_vault_that_cannot_be_reached_is_waited_for(
    operator: Operator, dfns_emulator: Emulator, tmp_path: Path
) -> None:
    key = operator.key()
    with ByteFaultProxy(address_of(operator.server.address)) as proxy:
        address = f"http://127.0.0.1:{proxy.port}"
        signer = signer_of(operator, key, address, operator.server.token)
        outage = partial(unreachable, proxy)

        assert_says_so_and_recovers(dfns_emulator, tmp_path, signer, outage, "key-store")
