"""Names that become part of a request's path, refused where they would lead it elsewhere.

hvac leaves ``/`` and ``.`` in names as they are, and its HTTP library resolves ``..``: with the key
name ``../../sys/seal``, a request to sign would seal the server.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from typing import Annotated, Final

from pydantic import AfterValidator

from dfns_signers.plugin import errors

_SEGMENT: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")
_ALLOWED: Final = "letters, digits, '_', '-' and '.', and no '-' or '.' at the beginning"

# Vault's own paths: no secrets engine can be mounted at or below them.
_RESERVED: Final = frozenset({"audit", "auth", "cubbyhole", "identity", "sys"})


def check_key_name(name: str) -> str:
    """A name of a key or role as it is.

    Raises:
        ConfigurationError: it would not be one segment of a path.
    """
    if not _SEGMENT.fullmatch(name):
        raise errors.ConfigurationError(f"{name!r} is not a name of a key: expected {_ALLOWED}")
    return name


def check_path(path: str, kind: str) -> str:
    """A path of one or more segments, without a slash at its end.

    Args:
        path: as Vault lists mounts and namespaces, with or without a slash at its end.
        kind: what it is the path of, for errors.

    Raises:
        ConfigurationError: it would lead elsewhere.
    """
    trimmed = path.removesuffix("/")
    if not all(_SEGMENT.fullmatch(segment) for segment in trimmed.split("/")):
        raise errors.ConfigurationError(
            f"{path!r} is not a {kind}: expected segments with '/' between them, each of {_ALLOWED}"
        )
    return trimmed


def check_mount(path: str) -> str:
    """The path of a mounted secrets engine, without a slash at its end.

    Raises:
        ConfigurationError: it would lead elsewhere, or is one of Vault's own paths.
    """
    mount = check_path(path, "mount of a secrets engine")
    segments = mount.split("/")
    # Below a namespace, which may be the beginning of a path, there is a 'sys' again.
    if segments[0] in _RESERVED or "sys" in segments:
        raise errors.ConfigurationError(
            f"{path!r} is not a mount of a secrets engine: Vault keeps that path to itself"
        )
    return mount


def _as_option(check: Callable[[str], str]) -> AfterValidator:
    def validate(value: str) -> str:
        try:
            return check(value)
        except errors.ConfigurationError as error:
            raise ValueError(str(error)) from error

    return AfterValidator(validate)


KeyName = Annotated[str, _as_option(check_key_name)]
Mount = Annotated[str, _as_option(check_mount)]
Namespace = Annotated[str, _as_option(partial(check_path, kind="namespace"))]
AuthPath = Annotated[
    str, _as_option(partial(check_path, kind="path of an auth method below 'auth/'"))
]
