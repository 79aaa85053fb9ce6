"""Resource names of Cloud KMS, as the emulator reads them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from cloud_kms_emulator.refusals import invalid

_ID: Final = r"[a-zA-Z0-9_-]{1,63}"
_LOCATION: Final = r"projects/[a-z0-9.:-]+/locations/[a-z0-9-]+"
_KEY_RING: Final = rf"{_LOCATION}/keyRings/{_ID}"
_CRYPTO_KEY: Final = rf"{_KEY_RING}/cryptoKeys/{_ID}"
_VERSION: Final = rf"{_CRYPTO_KEY}/cryptoKeyVersions/[1-9][0-9]{{0,8}}"

_SHAPES: Final = {
    "location": (_LOCATION, "projects/*/locations/*"),
    "KeyRing": (_KEY_RING, "projects/*/locations/*/keyRings/*"),
    "CryptoKey": (_CRYPTO_KEY, "projects/*/locations/*/keyRings/*/cryptoKeys/*"),
    "CryptoKeyVersion": (
        _VERSION,
        "projects/*/locations/*/keyRings/*/cryptoKeys/*/cryptoKeyVersions/*",
    ),
}


def check_name(kind: str, name: str) -> str:
    """The name, if it is one of that kind of resource.

    Raises:
        Refusal: INVALID_ARGUMENT.
    """
    pattern, template = _SHAPES[kind]
    if not re.fullmatch(pattern, name, re.ASCII):
        raise invalid(f"{kind} name {name!r} does not match {template!r}.")
    return name


def check_one_of(kinds: Sequence[str], name: str) -> str:
    """The kind of resource that a name is one of.

    Raises:
        Refusal: INVALID_ARGUMENT, it is of none of them.
    """
    for kind in kinds:
        if re.fullmatch(_SHAPES[kind][0], name, re.ASCII):
            return kind
    templates = " or ".join(repr(_SHAPES[kind][1]) for kind in kinds)
    raise invalid(f"resource name {name!r} does not match {templates}.")


def check_id(field: str, value: str) -> str:
    """The id of a new resource, if it may be one.

    Raises:
        Refusal: INVALID_ARGUMENT.
    """
    if not re.fullmatch(_ID, value, re.ASCII):
        raise invalid(f"{field} {value!r} does not match '{_ID}'.")
    return value


def parent_of(name: str) -> str:
    """The name of the resource that this one is in."""
    return name.rsplit("/", 2)[0]
