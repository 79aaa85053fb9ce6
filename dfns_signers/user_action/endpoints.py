"""Which calls need a user action, and which the API carries out once however often they come.

Source: Dfns API reference, and its documentation on idempotency.
"""

from __future__ import annotations

import re
from typing import Final

_READS: Final = frozenset({"GET", "HEAD", "OPTIONS"})

# Everything else that is not a read needs a user action.
_UNSIGNED: Final = (
    ("POST", r"/auth/action(/init)?"),
    ("POST", r"/auth/login(?!/delegated$)(/.*)?"),
    ("POST", r"/auth/registration(/init|/social|/enduser)?"),
    ("PUT", r"/auth/registration/code"),
    ("POST", r"/auth/recover/user(/init|/code)?"),
    ("POST", r"/auth/credentials/init"),
    ("POST", r"/auth/credentials/code/(init|verify)"),
    ("POST", r"/auth/tokens"),
    ("PUT", r"/auth/logout"),
    ("POST", r"/networks/[^/]+/call-function"),
    ("POST", r"/networks/read-contract"),
    ("POST", r"/swaps/quotes"),
    ("POST", r"/(payouts|payins)/quote"),
    ("POST", r"/allocations/get-0fns-quote"),
    ("POST", r"/wallets/[^/]+/canton/ledger-api"),
)


def needs_user_action(method: str, path: str) -> bool:
    """Whether the documentation asks for a user action.

    Args:
        method: upper-case HTTP method.
        path: percent-encoded path, without query and base URL prefix.
    """
    if method in _READS:
        return False
    return not any(
        method == unsigned_method and re.fullmatch(pattern, path)
        for unsigned_method, pattern in _UNSIGNED
    )


_IDEMPOTENT: Final = re.compile(
    r"/wallets|/wallets/[^/]+/(transfers|transactions)|/keys/[^/]+/signatures"
)


def is_idempotent_by_external_id(method: str, path: str) -> bool:
    """Whether a repeated ``externalId`` returns what is there already.

    Args:
        method: upper-case HTTP method.
        path: percent-encoded path, without query and base URL prefix.
    """
    return method == "POST" and _IDEMPOTENT.fullmatch(path) is not None
