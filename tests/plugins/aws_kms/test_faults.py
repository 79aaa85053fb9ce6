"""Whatever happens between the plugin and AWS KMS, a signature is valid or an error of ours."""

from __future__ import annotations

from tests.plugins.aws_kms.stores import Store
from tests.support.fault_proxy import FaultProxy
from tests.support.key_faults import LIMITS, check_signatures_under_every_fault


def test_every_fault_of_the_connection(ministack: Store) -> None:
    arn = ministack.arn("ECC_NIST_P256")
    with (
        FaultProxy(ministack.url) as proxy,
        ministack.opened(arn, endpoint_url=proxy.url, **LIMITS) as key,
    ):
        check_signatures_under_every_fault(key, proxy)
