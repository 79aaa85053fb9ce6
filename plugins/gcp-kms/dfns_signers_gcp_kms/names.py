"""Resource names of Cloud KMS, copied as Google prints them."""

from __future__ import annotations

import re
from typing import Annotated, Final

from pydantic import AfterValidator

_ID: Final = r"[a-zA-Z0-9_-]{1,63}"

# Full names.
LOCATION: Final = re.compile(r"projects/[^/\s]+/locations/[^/\s]+", re.ASCII)
KEY_RING: Final = re.compile(rf"{LOCATION.pattern}/keyRings/{_ID}", re.ASCII)
CRYPTO_KEY: Final = re.compile(rf"{KEY_RING.pattern}/cryptoKeys/{_ID}", re.ASCII)
VERSION: Final = re.compile(rf"{CRYPTO_KEY.pattern}/cryptoKeyVersions/[0-9]+", re.ASCII)

# Terraform and Cloud Asset Inventory print names with the service in front.
_PREFIX: Final = re.compile(r"(?://cloudkms\.googleapis\.com)?/?(?:v1/)?(?=projects/)")

VERSION_FORM: Final = (
    "projects/PROJECT/locations/LOCATION/keyRings/RING/cryptoKeys/KEY/cryptoKeyVersions/NUMBER"
)
CRYPTO_KEY_FORM: Final = VERSION_FORM.removesuffix("/cryptoKeyVersions/NUMBER")
PARENT_FORM: Final = (
    "projects/PROJECT/locations/LOCATION, optionally followed by /keyRings/RING and /cryptoKeys/KEY"
)


def split(name: str) -> tuple[str, str]:
    """The name of the resource that this one is in, and its own id."""
    parent, _, own = name.rsplit("/", 2)
    return parent, own


def location_of(name: str) -> str | None:
    """The location that a resource is in; None if it is not a name in one."""
    found = LOCATION.match(_PREFIX.sub("", name.strip(), count=1))
    return found[0] if found else None


def gcloud_flags(crypto_key: str) -> str:
    """The flags by which ``gcloud kms`` names a crypto key."""
    _, project, _, location, _, ring, _, key = crypto_key.split("/")
    return f"--key {key} --keyring {ring} --location {location} --project {project}"


def _name(expected: str, *forms: re.Pattern[str]) -> AfterValidator:
    def check(text: str) -> str:
        name = _PREFIX.sub("", text.strip(), count=1)
        if not any(form.fullmatch(name) for form in forms):
            raise ValueError(f"expected {expected}")
        return name

    return AfterValidator(check)


KeyVersionName = Annotated[
    str,
    _name(
        f"the full name of a key version, {VERSION_FORM}, as 'gcloud kms keys versions list' "
        "prints it",
        VERSION,
        CRYPTO_KEY,
    ),
]
"""Full name of a version. That of a crypto key passes: what opens it lists the versions."""

CryptoKeyName = Annotated[
    str, _name(f"the full name of a crypto key, {CRYPTO_KEY_FORM}", CRYPTO_KEY)
]
"""Full name of a crypto key."""

ParentName = Annotated[str, _name(PARENT_FORM, LOCATION, KEY_RING, CRYPTO_KEY)]
"""Full name of a location, a key ring or a crypto key."""
