"""The addresses that may see a token or a signature: https, or http to this machine."""

from __future__ import annotations

import ipaddress
from typing import Final
from urllib.parse import urlsplit

DEFAULT_PORTS: Final = {"http": 80, "https": 443}


def is_loopback(host: str) -> bool:
    """Whether the host of a URL is this machine: ``localhost``, 127.0.0.0/8 or ::1."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def check_service_url(text: str, *, example: str = "https://kms.example.com:8200") -> str:
    """Check the address of a service; returns it without a slash at its end.

    Raises:
        ValueError: not an absolute URL, http to another machine, or a URL with a user, a query or
            a fragment.
    """
    expected = f"expected an address such as {example}"
    try:
        parts = urlsplit(text)
        usable = parts.port != 0 and text.isprintable() and " " not in text
    except ValueError:
        raise ValueError(expected) from None
    if not usable or parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError(expected)
    if "@" in parts.netloc or "?" in text or "#" in text:
        raise ValueError(f"{expected}, without user, password, query and fragment")
    if parts.scheme == "http" and not is_loopback(parts.hostname):
        raise ValueError(
            f"http://{parts.netloc} would be reached unencrypted: use https; plain http is "
            "accepted for this machine only (127.0.0.1, ::1, localhost)"
        )
    return text.rstrip("/")
