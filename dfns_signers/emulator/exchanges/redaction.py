"""Bodies as they may be shown: without tokens, secrets and private keys."""

from __future__ import annotations

import json
import re
from typing import Any, Final

from dfns_signers.emulator.requests.messages import PLACEHOLDER
from dfns_signers.emulator.requests.wire import parse_json

_SECRET_NAME: Final = re.compile(
    r"token$|secret|password|code$|privatekey|keyshare|useraction$|challengeidentifier$"
)
_PAGING: Final = frozenset({"nextpagetoken", "paginationtoken"})
_PAYLOAD: Final = "userActionPayload"
_SECRET_TEXT: Final = re.compile(
    r"eyJ[\w-]+\.[\w-]+\.[\w-]*"  # a JWT
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)",
    re.DOTALL,
)


def without_secrets(content: bytes) -> Any:
    """The JSON of a body; None for no body, and a remark for what is not JSON."""
    if not content:
        return None
    try:
        return _redacted(parse_json(content))
    except ValueError:
        return f"({len(content)} bytes that are not JSON)"


def _redacted(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _member(name, inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_redacted(inner) for inner in value]
    return _SECRET_TEXT.sub(PLACEHOLDER, value) if isinstance(value, str) else value


def _member(name: str, value: Any) -> Any:
    if name == _PAYLOAD and isinstance(value, str):
        return _payload(value)
    lower = name.lower()
    if isinstance(value, str) and lower not in _PAGING and _SECRET_NAME.search(lower):
        return PLACEHOLDER
    return _redacted(value)


def _payload(text: str) -> str:
    """The body that is announced, which is JSON inside of JSON."""
    try:
        return json.dumps(_redacted(parse_json(text.encode("utf-8"))), ensure_ascii=False)
    except ValueError:
        return PLACEHOLDER if text else text
