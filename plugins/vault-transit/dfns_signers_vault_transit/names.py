"""Names that become part of a request's path, refused where they would lead it elsewhere.

hvac leaves ``/`` and ``.`` in names as they are, and its HTTP library resolves ``..``: with the key
name ``../../sys/seal``, a request to sign would seal the server.
"""

from __future__ import annotations

import re
from functools import partial
from typing import Annotated, Final

from pydantic import AfterValidator

_SEGMENT: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")
_ALLOWED: Final = "letters, digits, '_', '-' and '.', and no '-' or '.' at the beginning"

# Vault's own paths: no secrets engine can be mounted at or below them.
_RESERVED: Final = frozenset({"audit", "auth", "cubbyhole", "identity", "sys"})


def is_key_name(name: str) -> bool:
    """Whether a name is one segment of a path."""
    return _SEGMENT.fullmatch(name) is not None


def check_key_name(name: str) -> str:
    """A name of a key as it is.

    Raises:
        ValueError: it would not be one segment of a path.
    """
    if not is_key_name(name):
        raise ValueError(f"{name!r} is not a name of a key: expected {_ALLOWED}")
    return name


def check_path(path: str, kind: str) -> str:
    """A path of one or more segments, without a slash at its end.

    Args:
        path: as Vault lists mounts and namespaces, with or without a slash at its end.
        kind: what it is the path of, for errors.

    Raises:
        ValueError: it would lead elsewhere.
    """
    trimmed = path.removesuffix("/")
    if not all(map(_SEGMENT.fullmatch, trimmed.split("/"))):
        raise ValueError(
            f"{path!r} is not a {kind}: expected segments with '/' between them, each of {_ALLOWED}"
        )
    return trimmed


def check_mount(path: str) -> str:
    """The path of a mounted secrets engine, without a slash at its end.

    Raises:
        ValueError: it would lead elsewhere, or is one of Vault's own paths.
    """
    mount = check_path(path, "mount of a secrets engine")
    segments = mount.split("/")
    # Below a namespace, which may be the beginning of a path, there is a 'sys' again.
    if segments[0] in _RESERVED or "sys" in segments:
        raise ValueError(
            f"{path!r} is not a mount of a secrets engine: Vault keeps that path to itself"
        )
    return mount


_check_auth_path: Final = partial(check_path, kind="path of an auth method below 'auth/'")

KeyName = Annotated[str, AfterValidator(check_key_name)]
Mount = Annotated[str, AfterValidator(check_mount)]
Namespace = Annotated[str, AfterValidator(partial(check_path, kind="namespace"))]
AuthPath = Annotated[str, AfterValidator(_check_auth_path)]
