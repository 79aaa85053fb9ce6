"""Signing keys in the Transit secrets engine of HashiCorp Vault and OpenBao.

``VaultTransitKey`` is imported on first use, and hvac with it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dfns_signers_vault_transit.key import VaultTransitKey

__all__ = ["VaultTransitKey"]


def __getattr__(name: str) -> Any:
    if name in __all__:
        from dfns_signers_vault_transit import key  # noqa: PLC0415  # it imports hvac

        return getattr(key, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
