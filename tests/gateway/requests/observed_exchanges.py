"""Requests as observers of a gateway see them."""

from __future__ import annotations

from typing import Any, Final

from dfns_signers.gateway.requests.messages import Peer
from dfns_signers.gateway.requests.observing import Exchange

PEER: Final = Peer("127.0.0.1:8787", address="127.0.0.1:50000")
OF_A_STRANGER: Final[dict[str, Any]] = {"caller": None, "check": "caller", "status": 401}
AT_THE_DOOR: Final[dict[str, Any]] = {"check": "no-rule", "status": 403, "upstream_seconds": None}


def exchange(**members: Any) -> Exchange:
    """A call of the caller ``payments`` that Dfns answered, but for what is given."""
    usual: dict[str, Any] = {
        "peer": PEER,
        "method": "POST",
        "path": "/wallets",
        "operation": "POST /wallets",
        "caller": "payments",
        "identified_by": ("token",),
        "rule": "wallets",
        "status": 200,
        "seconds": 0.2,
        "upstream_seconds": 0.15,
        "body_sha256": "ab" * 32,
    }
    return Exchange(**{**usual, **members})
