"""Answers without the tokens and challenges of the gateway, in whichever spelling."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterable, Iterator
from typing import Final

REDACTED: Final = b"[redacted]"

_SHORTEST: Final = 8  # characters; a shorter value would be found within ordinary words


class Redaction:
    """Replaces secrets as they are, with JSON or percent escapes, in hexadecimal, or in base64.

    Letters are compared without case, for host names and the like are shown in lower case.

    Args:
        secrets: ASCII.
    """

    __slots__ = ("_pattern",)

    def __init__(self, secrets: Iterable[str]) -> None:
        forms = {form for one in secrets if len(one) >= _SHORTEST for form in _forms(one)}
        # The longest first, or what is left of it would stand behind the replacement.
        longest_first: list[bytes] = sorted(forms, key=len, reverse=True)
        self._pattern = re.compile(b"|".join(longest_first) or b"(?!)", re.IGNORECASE)

    def __repr__(self) -> str:
        return "<Redaction>"

    def of_bytes(self, content: bytes) -> bytes:
        """Content with each secret replaced."""
        return self._pattern.sub(REDACTED, content)

    def of_text(self, text: str) -> str:
        """The same for a string."""
        return self.of_bytes(text.encode("utf-8", "surrogatepass")).decode("utf-8", "replace")


def _forms(secret: str) -> Iterator[bytes]:
    """Patterns that match the secret."""
    # A backslash before it would otherwise escape what stands in its place.
    yield rb"\\*" + b"".join(_character(code) for code in secret.encode())
    yield secret.encode().hex().encode()
    for offset in range(3):
        encoded = _encoded(secret.encode(), offset)
        yield re.escape(encoded).replace(rb"\+", b"[+-]").replace(b"/", rb"(?:\\?/|_)")


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
