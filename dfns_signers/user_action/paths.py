"""Paths of API calls: parameters stay one segment, and what is signed is what is requested."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final
from urllib.parse import quote, unquote

from dfns_signers.errors import RequestError

_SPACE: Final = 0x20
_PLACEHOLDER: Final = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)\}")
_PATH: Final = re.compile(r"(/(?:[A-Za-z0-9._~!$&'()*+,;=:@-]|%[0-9A-Fa-f]{2})+)+")


def expand(template: str, parameters: Mapping[str, object] | None = None) -> str:
    """Fill the ``{placeholders}`` of a path, each as one percent-encoded segment.

    Args:
        template: such as ``/wallets/{walletId}``; without placeholders, the path itself.
        parameters: a string or integer for each placeholder.

    Raises:
        RequestError: a parameter is missing, left over, empty, ``.`` or ``..``; or the path
            is ambiguous to intermediaries.
    """
    given = dict(parameters or {})

    def fill(match: re.Match[str]) -> str:
        if match[1] not in given:
            raise RequestError(f"the path {template!r} needs the parameter {match[1]!r}")
        return _segment(match[1], given.pop(match[1]))

    path = _PLACEHOLDER.sub(fill, template)
    if given:
        raise RequestError(f"the path {template!r} has no place for {', '.join(sorted(given))}")
    return check_path(path)


def check_path(path: str) -> str:
    """Refuse a path that a server could read as another one than it seems; returns it.

    Raises:
        RequestError: it does not start with one ``/``, has an empty, ``.`` or ``..`` segment
            (also percent-encoded, however often), a control character, a query, a fragment, or a
            character that must be encoded.
    """
    if "?" in path or "#" in path:
        raise RequestError(
            f"the path {path!r} has a query or fragment: give the query as 'params' (--param on "
            "the command line), and put identifiers in with 'path_params', which encodes them"
        )
    if any(_leads_elsewhere(segment) for segment in path.split("/")):
        raise RequestError(
            f"the path {path!r} has a '.' or '..' segment or a control character, also encoded: "
            "it is ambiguous to intermediaries"
        )
    if not _PATH.fullmatch(path):
        raise RequestError(
            f"the path {path!r} is not usable: expected segments of URL characters, each behind "
            "one '/', none empty; 'path_params' encodes identifiers"
        )
    return path


def _leads_elsewhere(segment: str) -> bool:
    """Whether any server on the way could take a segment for more than one, and leave it."""
    decoded = unquote(segment)
    while decoded != segment:
        segment, decoded = decoded, unquote(decoded)
    parts = re.split(r"[/\\;]", decoded)
    return not {".", ".."}.isdisjoint(parts) or any(
        ord(character) < _SPACE for character in decoded
    )


def _segment(name: str, value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        raise RequestError(
            f"the path parameter {name!r} must be a string or integer, not {type(value).__name__}"
        )
    try:
        # Not str(value): of a member of an enumeration that is not its value.
        text = str.__str__(value) if isinstance(value, str) else int.__repr__(value)
        encoded = quote(text, safe="")
    except ValueError as error:
        raise RequestError(f"the path parameter {name!r} cannot be encoded as UTF-8") from error
    if text in {"", ".", ".."}:
        raise RequestError(f"the path parameter {name!r} is {text!r}, which names nothing")
    return encoded
