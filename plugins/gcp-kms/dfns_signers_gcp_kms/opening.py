"""Open a version: read its public key, wait for one that is being generated, refuse the rest."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any, Final, NoReturn, TypeVar

from dfns_signers.plugin import Attempt, PublicKey, errors, load_public_key, quoted
from dfns_signers_gcp_kms.algorithms import (
    KmsAlgorithm,
    algorithm_name,
    enum_name,
    require_supported,
)
from dfns_signers_gcp_kms.client import GcpKms
from dfns_signers_gcp_kms.integrity import check_public_key
from dfns_signers_gcp_kms.names import CRYPTO_KEY, VERSION, VERSION_FORM, gcloud_flags

T = TypeVar("T")

_MOST_EMPTY: Final = 100
_MOST_SHOWN: Final = 10


def open_version(kms: GcpKms, name: str) -> tuple[PublicKey, KmsAlgorithm]:
    """Read the public key of a version, and prove that Dfns accepts its signatures.

    Only the permission to view public keys is needed.

    Raises:
        ConfigurationError: the name is that of a crypto key, or not a name of Cloud KMS.
        UnsupportedKeyError: Dfns does not accept its algorithm.
        KeyStateError: it is not enabled.
        SigningKeyError: it is missing, denied or unreachable.
    """
    return read_version(
        kms, name, lambda answer, algorithm: (load_public_key(answer.pem), algorithm)
    )


def read_version(kms: GcpKms, name: str, read: Callable[[Any, KmsAlgorithm], T]) -> T:
    """What is made of Google's message of a public key; the errors are those of ``open_version``.

    Args:
        kms: the client.
        name: full name of the version.
        read: takes the message, when its checksum fits, and its algorithm, which Dfns accepts.
    """
    require_version(kms, name)

    def read_checked(answer: Any, _: Attempt) -> T:
        check_public_key(name, answer)
        return read(answer, require_supported(algorithm_name(answer), name))

    def look() -> T:
        task, request = f"open the key {name}", {"name": name}
        found: T = kms.call(task, "get_public_key", request, read=read_checked)
        return found

    return kms.once_ready(look, timeout=kms.generation_timeout)


def require_version(kms: GcpKms, name: str) -> None:
    """Refuse a name that is not that of a version; for a crypto key, say which there are.

    Raises:
        ConfigurationError: it is another name.
    """
    if not VERSION.fullmatch(name):
        _refuse_name(kms, name)


def listed(kms: GcpKms, kind: str, parent: str) -> Iterator[Any]:
    """Google's message of every resource of a kind, such as ``crypto_keys``, page by page.

    Raises:
        SigningKeyError: Cloud KMS refused or failed, or announces pages without end.
    """
    task, token, empty = f"list the {kind.replace('_', ' ')} in {parent}", "", 0
    while empty < _MOST_EMPTY:
        fields = {"parent": parent, "page_token": token}
        page = kms.call(task, f"list_{kind}", fields)
        found = getattr(page, kind)
        yield from found
        token = page.next_page_token
        if not token:
            return
        empty = 0 if found else empty + 1
    raise errors.SigningKeyError(
        f"cannot {task}: {empty} pages one after the other were empty, and more were announced; "
        "check endpoint"
    )


def _refuse_name(kms: GcpKms, name: str) -> NoReturn:
    if not CRYPTO_KEY.fullmatch(name):
        raise errors.ConfigurationError(
            f"{name!r} is not the name of a key version; expected {VERSION_FORM}"
        )
    head = f"key_version = {name!r} names a crypto key, and what signs is one of its versions"
    try:
        versions = listed(kms, "crypto_key_versions", name)
        enabled = (one.name for one in versions if enum_name(one, "state") == "ENABLED")
        found = list(islice(enabled, _MOST_SHOWN))
    except errors.SigningKeyError as error:
        raise errors.ConfigurationError(
            f"{head}. Set key_version = '{name}/cryptoKeyVersions/NUMBER', with a number of "
            f"gcloud kms keys versions list {gcloud_flags(name)} ({error})"
        ) from error
    if not found:
        raise errors.ConfigurationError(
            f"{head}. None of them is enabled: create one with gcloud kms keys versions create "
            f"{gcloud_flags(name)}"
        )
    choices = " or ".join(f"key_version = {version!r}" for version in found)
    raise errors.ConfigurationError(f"{head}. Set {quoted(choices)}")
