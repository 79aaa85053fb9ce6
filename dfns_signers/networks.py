"""The networks that the Dfns API knows; networks.json lists them and says where they are from."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Final

_DATA: Final[dict[str, list[str]]] = json.loads(
    files("dfns_signers").joinpath("networks.json").read_text(encoding="utf-8")
)

NETWORKS: Final = tuple(_DATA["blockchains"])
"""Values of ``network`` that name a blockchain."""
WALLET_NETWORKS: Final = (*NETWORKS, *_DATA["keys"])
"""Values of ``network`` for a wallet: also those of a bare key, such as ``KeyECDSA``."""
EVM_NETWORKS: Final = frozenset(_DATA["evm"])
"""The networks whose addresses are ``0x`` and 40 hexadecimal digits."""
BLOCKCHAIN_KINDS: Final = tuple(_DATA["blockchainKinds"])
"""Values of ``blockchainKind``."""
