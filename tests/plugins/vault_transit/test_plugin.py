"""The plugin behind the entry point: light until a key is opened."""

from __future__ import annotations

import subprocess
import sys

import pytest

import dfns_signers_vault_transit
from dfns_signers.discovery import load_backend
from dfns_signers_vault_transit.plugin import VaultTransitBackend


def test_entry_point_provides_the_backend() -> None:
    assert isinstance(load_backend("vault-transit"), VaultTransitBackend)


def test_package_has_no_other_names() -> None:
    with pytest.raises(AttributeError, match="no attribute 'VaultKey'"):
        _ = dfns_signers_vault_transit.VaultKey


def test_hvac_is_imported_with_the_first_key_and_not_before() -> None:
    script = (
        "import sys; from dfns_signers.discovery import load_backend; "
        "b = load_backend('vault-transit'); b.options; import dfns_signers_vault_transit as p; "
        "early = 'hvac' in sys.modules; p.VaultTransitKey; "
        "print(early, 'hvac' in sys.modules)"
    )

    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True)

    assert done.stdout.split() == [b"False", b"True"]
