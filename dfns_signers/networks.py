"""The networks that the Dfns API knows, as the declared shapes list them."""

from __future__ import annotations

from typing import Final

from dfns_signers.operations import declared_enum

NETWORKS: Final = declared_enum("network")
"""Values of ``network`` that name a blockchain."""
WALLET_NETWORKS: Final = declared_enum("walletNetwork")
"""Values of ``network`` for a wallet: also those of a bare key, such as ``KeyECDSA``."""
EVM_NETWORKS: Final = frozenset(declared_enum("evmNetwork"))
"""The networks whose addresses are ``0x`` and 40 hexadecimal digits."""
BLOCKCHAIN_KINDS: Final = declared_enum("blockchainKind")
"""Values of ``blockchainKind``."""
