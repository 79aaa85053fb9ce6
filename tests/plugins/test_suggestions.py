"""What ``setup`` asks for when it creates a key in a store, beside what is required."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from dfns_signers.backends.management import ManagesKeys
from dfns_signers_aws_kms.plugin import AwsKmsBackend
from dfns_signers_vault_transit.plugin import VaultTransitBackend


def test_key_in_aws_kms_is_named_after_the_profile_by_its_alias(tmp_path: Path) -> None:
    suggested = AwsKmsBackend().suggestions("laptop", tmp_path)

    assert suggested == {"region": None, "alias": "alias/dfns-laptop"}


def test_key_in_vault_is_named_after_the_profile_at_the_address_of_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VAULT_ADDR", "https://vault.example")

    suggested = VaultTransitBackend().suggestions("laptop", tmp_path)

    assert suggested == {"address": "https://vault.example", "key": "dfns-laptop"}


@pytest.mark.parametrize("backend", [AwsKmsBackend(), VaultTransitBackend()])
def test_what_is_suggested_is_an_option(backend: ManagesKeys[Any, Any], tmp_path: Path) -> None:
    options = {*backend.create_options.model_fields, *backend.list_options.model_fields}

    assert backend.suggestions("laptop", tmp_path).keys() <= options
