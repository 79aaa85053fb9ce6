"""Resource names of Cloud KMS, copied as Google prints them."""

from __future__ import annotations

import re
from typing import Annotated, Final

from pydantic import AfterValidator

_LOCATION: Final = r"projects/[^/\s]+/locations/[^/\s]+"
_ID: Final = r"[a-zA-Z0-9_-]{1,63}"
_KEY_RING: Final = rf"{_LOCATION}/keyRings/{_ID}"
_CRYPTO_KEY: Final = rf"{_KEY_RING}/cryptoKeys/{_ID}"
_VERSION: Final = rf"{_CRYPTO_KEY}/cryptoKeyVersions/[0-9]+"

# Terraform and Cloud Asset Inventory print names behind the service.
_PREFIX: Final = re.compile(r"(?://cloudkms\.googleapis\.com)?/?(?:v1/)?(?=projects/)")

VERSION_FORM: Final = (
    "projects/PROJECT/locations/LOCATION/keyRings/RING/cryptoKeys/KEY/cryptoKeyVersions/NUMBER"
)
CRYPTO_KEY_FORM: Final = VERSION_FORM.removesuffix("/cryptoKeyVersions/NUMBER")
PARENT_FORM: Final = (
    "projects/PROJECT/locations/LOCATION, with /keyRings/RING and /cryptoKeys/KEY behind it or not"
)


def is_version(name: str) -> bool:
    """Whether this is the full name of a version."""
    return re.fullmatch(_VERSION, name, re.ASCII) is not None


def is_crypto_key(name: str) -> bool:
    """Whether this is the full name of a crypto key."""
    return re.fullmatch(_CRYPTO_KEY, name, re.ASCII) is not None


def is_key_ring(name: str) -> bool:
    """Whether this is the full name of a key ring."""
    return re.fullmatch(_KEY_RING, name, re.ASCII) is not None


def split(name: str) -> tuple[str, str]:
    """The name of the resource that this one is in, and its own id."""
    parent, _, own = name.rsplit("/", 2)
    return parent, own


def gcloud_flags(crypto_key: str) -> str:
    """The flags by which ``gcloud kms`` names a crypto key."""
    _, project, _, location, _, ring, _, key = crypto_key.split("/")
    return f"--key {key} --keyring {ring} --location {location} --project {project}"


def _plain(text: str) -> str:
    return _PREFIX.sub("", text.strip(), count=1)


def _check_version_or_key(text: str) -> str:
    name = _plain(text)
    if not (is_version(name) or is_crypto_key(name)):
        raise ValueError(
            f"expected the full name of a key version, {VERSION_FORM}, as "
            "'gcloud kms keys versions list' prints it"
        )
    return name


def _check_crypto_key(text: str) -> str:
    name = _plain(text)
    if not is_crypto_key(name):
        raise ValueError(f"expected the full name of a crypto key, {CRYPTO_KEY_FORM}")
    return name


def _check_parent(text: str) -> str:
    name = _plain(text)
    if not (re.fullmatch(_LOCATION, name, re.ASCII) or is_key_ring(name) or is_crypto_key(name)):
        raise ValueError(f"expected {PARENT_FORM}")
    return name


KeyVersionName = Annotated[str, AfterValidator(_check_version_or_key)]
"""Full name of a version. That of a crypto key passes: what opens it lists the versions."""

CryptoKeyName = Annotated[str, AfterValidator(_check_crypto_key)]
"""Full name of a crypto key."""

ParentName = Annotated[str, AfterValidator(_check_parent)]
"""Full name of a location, a key ring or a crypto key."""
