"""Open a version: read its public key, wait for one that is being generated, refuse the rest."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any, NoReturn

from dfns_signers.plugin import PublicKey, errors, load_public_key
from dfns_signers_gcp_kms.algorithms import KmsAlgorithm, algorithm_name, require_supported
from dfns_signers_gcp_kms.client import GcpKms
from dfns_signers_gcp_kms.integrity import check_public_key
from dfns_signers_gcp_kms.names import VERSION_FORM, gcloud_flags, is_crypto_key, is_version


def open_version(kms: GcpKms, name: str) -> tuple[PublicKey, KmsAlgorithm]:
    """Read the public key of a version, and prove that Dfns accepts its signatures.

    Only the permission to view public keys is needed.

    Raises:
        ConfigurationError: the name is that of a crypto key, or not a name of Cloud KMS.
        UnsupportedKeyError: Dfns does not accept its algorithm.
        KeyStateError: it is not enabled.
        SigningKeyError: it is missing, denied or unreachable.
    """
    if not is_version(name):
        _refuse_name(kms, name)
    message = kms.once_generated(
        lambda: (
            kms.ask(
                f"open the key {name}",
                "get_public_key",
                {"name": name},
                check=partial(check_public_key, name),
            ).message
        )
    )
    algorithm = require_supported(algorithm_name(message), name)
    return load_public_key(message.pem), algorithm


def listed(kms: GcpKms, kind: str, parent: str) -> Iterator[Any]:
    """Google's message of every resource of a kind, page by page.

    Args:
        kms: is asked for them.
        kind: such as ``crypto_keys``, as the answer has it.
        parent: full name of the resource that they are in.
    """
    task, token = f"list the {kind.replace('_', ' ')} in {parent}", ""
    while True:
        fields = {"parent": parent, "page_token": token}
        page = kms.ask(task, f"list_{kind}", fields).message
        yield from getattr(page, kind)
        token = page.next_page_token
        if not token:
            return


def _refuse_name(kms: GcpKms, name: str) -> NoReturn:
    if not is_crypto_key(name):
        raise errors.ConfigurationError(
            f"{name!r} is not the name of a key version; expected {VERSION_FORM}"
        )
    head = f"key_version = {name!r} names a crypto key, and what signs is one of its versions"
    try:
        versions = listed(kms, "crypto_key_versions", name)
        found = [version.name for version in versions if version.state.name == "ENABLED"]
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
    raise errors.ConfigurationError(f"{head}. Set {choices}")
