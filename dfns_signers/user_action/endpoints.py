"""Which calls need a user action, and which the API carries out once however often they come.

Source: Dfns API reference, and its documentation on idempotency.
"""

from __future__ import annotations

import re
from typing import Final

from dfns_signers.arguments import shown
from dfns_signers.errors import RequestError

METHODS: Final = frozenset({"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"})
_READS: Final = frozenset({"GET", "HEAD", "OPTIONS"})

# Everything else that is not a read needs a user action.
_UNSIGNED: Final = re.compile(
    r"POST /auth/action(/init)?"
    r"|POST /auth/login(?!/delegated$)(/.*)?"
    r"|POST /auth/registration(/init|/social|/enduser)?"
    r"|PUT /auth/registration/code"
    r"|POST /auth/recover/user(/init|/code)?"
    r"|POST /auth/credentials/init"
    r"|POST /auth/credentials/code/(init|verify)"
    r"|POST /auth/tokens"
    r"|PUT /auth/logout"
    r"|POST /networks/[^/]+/call-function"
    r"|POST /networks/read-contract"
    r"|POST /swaps/quotes"
    r"|POST /(payouts|payins)/quote"
    r"|POST /allocations/get-0fns-quote"
    r"|POST /wallets/[^/]+/canton/ledger-api"
)


def check_method(method: object) -> str:
    """An HTTP method in upper case, or RequestError for what is none."""
    # str.upper makes ASCII of some letters that are not, such as the long s.
    if not isinstance(method, str) or not method.isascii() or method.upper() not in METHODS:
        raise RequestError(
            f"the HTTP method must be one of {', '.join(sorted(METHODS))}, not {shown(method)}"
        )
    return method.upper()


def needs_user_action(method: str, path: str) -> bool:
    """Whether the documentation asks for a user action.

    Args:
        method: upper-case HTTP method.
        path: percent-encoded path, without query and base URL prefix.
    """
    return method not in _READS and not _UNSIGNED.fullmatch(f"{method} {path}")


_IDEMPOTENT: Final = re.compile(
    r"POST (/wallets|/wallets/[^/]+/(transfers|transactions)|/keys/[^/]+/signatures)"
)


def is_idempotent_by_external_id(method: str, path: str) -> bool:
    """Whether a repeated ``externalId`` returns what is there already; arguments as above."""
    return _IDEMPOTENT.fullmatch(f"{method} {path}") is not None
