"""Which calls need a user action, and which the API carries out once however often they come."""

from __future__ import annotations

from typing import Final

from dfns_signers.arguments import shown
from dfns_signers.errors import RequestError
from dfns_signers.operations import match_operation

METHODS: Final = frozenset({"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"})
_READS: Final = frozenset({"GET", "HEAD", "OPTIONS"})

# The name that /networks/{network}/call-function had before.
_FORMERLY_UNSIGNED: Final = "/networks/read-contract"


def check_method(method: object) -> str:
    """An HTTP method in upper case, or RequestError for what is none."""
    # str.upper makes ASCII of some letters that are not, such as the long s.
    if not isinstance(method, str) or not method.isascii() or method.upper() not in METHODS:
        raise RequestError(
            f"the HTTP method must be one of {', '.join(sorted(METHODS))}, not {shown(method)}"
        )
    return method.upper()


def needs_user_action(method: str, path: str) -> bool:
    """Whether the documentation asks for a user action; it does for a write that is not known.

    Args:
        method: upper-case HTTP method.
        path: percent-encoded path, without query and base URL prefix.
    """
    if method in _READS:
        return False
    operation = match_operation(method, path)
    return path != _FORMERLY_UNSIGNED if operation is None else operation.signed


def is_idempotent_by_external_id(method: str, path: str) -> bool:
    """Whether a repeated ``externalId`` returns what is there already; arguments as above."""
    operation = match_operation(method, path)
    return operation is not None and operation.idempotent
