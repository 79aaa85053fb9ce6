"""Answers without the tokens and challenges of the gateway, in whichever spelling."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterable, Iterator
from functools import cache
from typing import Final

from dfns_signers.sealed import Sealed

REDACTED: Final = b"[redacted]"

_ONE_ALPHABET: Final = bytes.maketrans(b"-_", b"+/")
_ESCAPE: Final = re.compile(rb"(?<!\\)\\+u00([0-9a-f]{2})|%(?:25)*([0-9a-f]{2})", re.IGNORECASE)
_BEGIN_ESCAPES: Final = frozenset("%\\")
_SHORTEST: Final = 8  # characters; a shorter value would be found within ordinary words


class Redaction:
    """Replaces secrets as they are, with JSON or percent escapes, in hexadecimal, or in base64.

    Letters are compared without case, for host names and the like are shown in lower case.

    Args:
        secrets: ASCII.
    """

    __slots__ = ("_secrets",)

    def __init__(self, secrets: Iterable[str]) -> None:
        self._secrets = Sealed([one for one in secrets if len(one) >= _SHORTEST])

    def __repr__(self) -> str:
        return "<Redaction>"

    def of_bytes(self, content: bytes) -> bytes:
        """Content with each secret replaced."""
        # The pattern of whole tokens is slow to make, and to look for in a long answer.
        if not _may_have_one_of(self._secrets.open(), content):
            return content
        return _pattern(self._secrets.open()).sub(REDACTED, content)

    def of_text(self, text: str) -> str:
        """The same for a string."""
        return self.of_bytes(text.encode("utf-8", "surrogatepass")).decode("utf-8", "replace")


def _may_have_one_of(secrets: Iterable[str], content: bytes) -> bool:
    """Whether a few characters out of the middle of one are there, in any spelling.

    A secret with a character that begins an escape counts as there, and a short one, of which what
    stands before it may be taken for a part of an escape: no token is either.
    """
    folded, decoded = _folded(content), _folded(_decoded(content))
    return any(
        len(one) < 2 * _SHORTEST
        or not _BEGIN_ESCAPES.isdisjoint(one)
        or _folded(_middle(_decoded(one.encode()))) in decoded
        or any(_folded(form) in folded for form in _unescaped(_middle(one.encode())))
        for one in secrets
    )


def _middle(secret: bytes) -> bytes:
    begin = max(0, len(secret) - _SHORTEST) // 2
    return secret[begin : begin + _SHORTEST]


def _decoded(text: bytes) -> bytes:
    """Without escapes for JSON, also JSON within JSON, and for URLs."""
    return _ESCAPE.sub(lambda found: bytes.fromhex((found[1] or found[2]).decode()), text).replace(
        b"\\", b""
    )


def _folded(text: bytes) -> bytes:
    """Without case, and with one of the two alphabets of base64."""
    return text.lower().translate(_ONE_ALPHABET)


def _unescaped(secret: bytes) -> Iterator[bytes]:
    yield secret
    yield secret.hex().encode()
    for offset in range(3):
        yield _encoded(secret, offset)


def _pattern(secrets: Iterable[str]) -> re.Pattern[bytes]:
    forms = {form for one in secrets for form in _forms(one)}
    # The longest first, or what is left of it would stand behind the replacement.
    longest_first: list[bytes] = sorted(forms, key=len, reverse=True)
    return re.compile(b"|".join(longest_first) or b"(?!)", re.IGNORECASE)


def _forms(secret: str) -> Iterator[bytes]:
    """Patterns that match the secret."""
    first, *others = secret.encode()
    yield _first_character(first) + b"".join(map(_character, others))
    yield secret.encode().hex().encode()
    for offset in range(3):
        encoded = _encoded(secret.encode(), offset)
        yield re.escape(encoded).replace(rb"\+", b"[+-]").replace(b"/", rb"(?:\\?/|_)")


def _first_character(code: int) -> bytes:
    """The same as ``_character``, with the backslashes before it.

    One of those would otherwise escape what stands in the place of the secret. Of many, no place
    but the first is tried: the time would grow with the square of their number.
    """
    return rb"(?<!\\)\\*(?:%b|u00%02x|%%(?:25)*%02x)" % (re.escape(bytes([code])), code, code)


@cache
def _character(code: int) -> bytes:
    """A character, which may be escaped for JSON, also JSON within JSON, or for a URL."""
    plain = re.escape(bytes([code]))
    escape = rb"\\*" + plain if code in b'/"\\' else plain
    return rb"(?:%b|\\+u00%02x|%%(?:25)*%02x)" % (escape, code, code)


def _encoded(secret: bytes, offset: int) -> bytes:
    """What the base64 of any text has in common that has the secret at a place.

    Args:
        secret: what to look for.
        offset: of its first byte, modulo three.
    """
    encoded = b64encode(bytes(offset) + secret).rstrip(b"=")
    partial = (offset + len(secret)) % 3
    # A character at either end also depends on what stands before or behind.
    return encoded[(0, 2, 3)[offset] : len(encoded) - (1 if partial else 0)]
