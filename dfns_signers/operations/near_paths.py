"""The operation that a path was probably meant for."""

from __future__ import annotations

from dfns_signers.near_miss import close_match
from dfns_signers.operations.table import is_placeholder, match_operation, operations


def path_hint(method: str, path: str) -> str:
    """What to say of a call that no operation of the table matches, else the empty string.

    Args:
        method: upper-case HTTP method.
        path: percent-encoded path, without query and base URL prefix.

    Returns:
        Such as `` (did you mean POST /wallets/{walletId}/transfers?)``.
    """
    if match_operation(method, path):
        return ""
    methods = [other for other in ("GET", "POST", "PUT", "DELETE") if match_operation(other, path)]
    if methods:
        return f" (the path has {' and '.join(methods)})"
    close = {_filled(one.path, path): one for one in operations() if one.method == method}
    found = close_match(path, close)
    return f" (did you mean {close[found]}?)" if found else ""


def _filled(template: str, path: str) -> str:
    """The template with the path parameters that the path has in their places."""
    given = path.split("/")
    segments = template.split("/")
    if len(given) != len(segments):
        return template
    return "/".join(
        mine if is_placeholder(segment) else segment
        for segment, mine in zip(segments, given, strict=True)
    )
