"""A gateway whose key in AWS KMS cannot sign for a while."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from dfns_signers.emulator import Emulator
from tests.plugins.aws_kms.stores import Store
from tests.plugins.gateway_outages import (
    address_of,
    assert_says_so_and_recovers,
    unreachable,
)
from tests.support.byte_fault_proxy import ByteFaultProxy


def test_disabled_key_signs_again_once_it_is_enabled(
    store: Store, dfns_emulator: Emulator, tmp_path: Path
) -> None:
    arn = store.create("ECC_NIST_P256")

    @contextmanager
    def disabled() -> Iterator[None]:
        store.client.disable_key(KeyId=arn)
        yield
        store.client.enable_key(KeyId=arn)

    signer = store.server.signer(store.alias(arn))

    assert_says_so_and_recovers(dfns_emulator, tmp_path, signer, disabled, "key")


def test_key_store_that_cannot_be_reached_is_waited_for(
    ministack: Store, dfns_emulator: Emulator, tmp_path: Path
) -> None:
    alias = ministack.alias(ministack.arn("ECC_NIST_P256"))
    with ByteFaultProxy(address_of(ministack.url)) as proxy:
        signer = ministack.server.signer(alias) | {"endpoint_url": f"http://127.0.0.1:{proxy.port}"}
        outage = partial(unreachable, proxy)

        assert_says_so_and_recovers(dfns_emulator, tmp_path, signer, outage, "key-store")
