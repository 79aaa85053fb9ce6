"""Paths of API calls: parameters stay one segment, and what is signed is what is requested."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from functools import lru_cache
from typing import Final
from urllib.parse import quote, unquote

from dfns_signers.arguments import by_name
from dfns_signers.errors import RequestError

# What ends a segment, or begins another part of a URL, for one server or another; and the percent
# sign, since it may be decoded twice.
_DELIMITERS: Final = frozenset("/\\?#%;")
_NEEDLESS_ESCAPE: Final = re.compile(r"%(?:2D|2E|5F|7E|3\d|[46][1-9A-F]|[57][\dA])", re.IGNORECASE)
_ESCAPE: Final = re.compile(r"%[0-9A-Fa-f]{2}")
_PLACEHOLDER: Final = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)\}")
# Sub-delimiters, ":" and "@" are percent-encoded, which is their one spelling: no path of the API
# has one of its own.
_PATH: Final = re.compile(r"(/(?:[A-Za-z0-9._~-]|%[0-9A-Fa-f]{2})+)+")


def expand(template: str, parameters: Mapping[str, object] | None = None) -> str:
    """Fill the ``{placeholders}`` of a path, each as one percent-encoded segment.

    Args:
        template: such as ``/wallets/{walletId}``; without placeholders, the path itself.
        parameters: a string or integer for each placeholder.

    Raises:
        RequestError: the path is not a string, or the parameters are not a mapping of strings; a
            parameter is missing, left over, empty, ``.`` or ``..``; has a control
            character, a slash, backslash, question mark, hash, percent sign or semicolon, or white
            space at an end, none of which an identifier of Dfns has; or the path is ambiguous
            to intermediaries.
    """
    if not isinstance(template, str):
        raise RequestError(f"the path must be a string, not {type(template).__name__}")
    given = by_name("path_params", parameters)

    def fill(match: re.Match[str]) -> str:
        if match[1] not in given:
            raise RequestError(f"the path {template!r} needs the parameter {match[1]!r}")
        return _segment(match[1], given.pop(match[1]))

    path = _PLACEHOLDER.sub(fill, template)
    if given:
        raise RequestError(f"the path {template!r} has no place for {', '.join(sorted(given))}")
    return check_path(path)


@lru_cache(maxsize=512)
def check_path(path: str) -> str:
    """Refuse a path that a server could read as another one than it seems; returns it.

    A path has one spelling, so that a guard sees what the server sees: what need not be
    percent-encoded is not, all else is, and no segment decodes to what could end it or lead out of
    it.

    Raises:
        RequestError: it does not start with one ``/``; has an empty, ``.`` or ``..`` segment, a
            query, a fragment, or a character that must be encoded; or a percent-encoded letter,
            digit, ``-``, ``.``, ``_`` or ``~``, a lower-case escape, or a segment that no
            identifier is (see ``expand``).
    """
    if "?" in path or "#" in path:
        raise RequestError(
            f"the path {path!r} has a query or fragment: give the query as 'params' (--param on "
            "the command line), and put identifiers in with 'path_params', which encodes them"
        )
    if not _PATH.fullmatch(path):
        raise RequestError(
            f"the path {path!r} is not usable: expected segments, each behind one '/', none empty, "
            "of letters, digits, '-', '.', '_' and '~', and everything else percent-encoded; "
            "'path_params' encodes identifiers so"
        )
    for segment in path.split("/")[1:]:
        reason = _misspelling(segment)
        if reason:
            raise RequestError(f"the path {path!r} is ambiguous to intermediaries: {reason}")
    return path


def _misspelling(segment: str) -> str:
    """Why a segment could be read as something else than it seems; empty if it cannot."""
    needless = _NEEDLESS_ESCAPE.search(segment)
    if needless:
        return f"write {needless[0]!r} as {unquote(needless[0])!r}"
    if segment != _ESCAPE.sub(lambda escape: escape[0].upper(), segment):
        return "write percent-encodings in upper case"
    try:
        return _oddity(unquote(segment, errors="strict"))
    except UnicodeDecodeError:
        return f"{segment!r} is not percent-encoded UTF-8"


def _oddity(text: str) -> str:
    """What is odd about the decoded text of a segment; empty if it can be one."""
    if text in {".", ".."}:
        return "it has a '.' or '..' segment"
    if text != text.strip():
        return "a segment begins or ends with white space"
    for character in text:
        if character in _DELIMITERS or unicodedata.category(character) == "Cc":
            return f"a segment contains {character!r}"
    return ""


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
    if not text:
        raise RequestError(f"the path parameter {name!r} is empty, which names nothing")
    oddity = _oddity(text)
    if oddity:
        raise RequestError(f"the path parameter {name!r} cannot be an identifier: {oddity}")
    return encoded
