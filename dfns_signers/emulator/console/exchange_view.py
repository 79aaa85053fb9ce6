"""An exchange as the page shows it."""

from __future__ import annotations

from typing import Any

from dfns_signers.emulator.exchanges.redaction import without_secrets
from dfns_signers.emulator.exchanges.request_log import Exchange
from dfns_signers.emulator.requests.wire import iso_date


def exchange_view(exchange: Exchange) -> dict[str, Any]:
    """JSON of an exchange, without tokens, secrets and headers."""
    request = exchange.request
    return {
        "number": exchange.number,
        "date": iso_date(exchange.date),
        "milliseconds": round(exchange.seconds * 1000, 1),
        "method": request.method,
        "target": f"{request.raw_path}?{request.query}" if request.query else request.raw_path,
        "status": exchange.answer.status,
        "caller": exchange.caller,
        "signing": exchange.signing,
        "check": exchange.check,
        "reason": exchange.reason,
        "body": without_secrets(request.body),
        "answer": without_secrets(exchange.answer.content),
    }
