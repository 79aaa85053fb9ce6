"""Whatever happens between the plugin and Vault, a signature is valid or an error of ours."""

from __future__ import annotations

from typing import Any

import pytest

from tests.plugins.vault_transit.conftest import OpenKey
from tests.plugins.vault_transit.operator import Operator
from tests.support.fault_proxy import FaultProxy
from tests.support.key_faults import LIMITS, check_signatures_under_every_fault


@pytest.mark.parametrize("options", [{"batch": False}, {}, {"batch": {"max_size": 2}}], ids=str)
def test_every_fault_of_the_connection(
    operator: Operator, open_key: OpenKey, options: dict[str, Any]
) -> None:
    with FaultProxy(operator.server.address) as proxy:
        key = open_key(operator.key(), address=proxy.url, key_version=1, **LIMITS, **options)

        check_signatures_under_every_fault(key, proxy)
