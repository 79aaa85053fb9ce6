"""Create and list key rings, crypto keys and versions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, cast

from google.api_core.exceptions import AlreadyExists, NotFound, ServerError
from google.cloud.kms_v1 import CryptoKey, CryptoKeyVersion, KeyManagementServiceClient

from dfns_signers.algorithms import Algorithm
from dfns_signers.backends.management import KeyDescription
from dfns_signers.errors import (
    KeyNotFoundError,
    KeyStateError,
    SigningKeyError,
    UnsupportedKeyError,
)
from dfns_signers_gcp_kms.algorithms import ALGORITHMS, name_for
from dfns_signers_gcp_kms.connecting import connected, policy_of
from dfns_signers_gcp_kms.errors import is_token_failure, translated
from dfns_signers_gcp_kms.names import is_crypto_key, is_key_ring, split
from dfns_signers_gcp_kms.opening import PENDING, algorithm_name
from dfns_signers_gcp_kms.options import (
    ConnectionOptions,
    GcpKmsCreateOptions,
    GcpKmsListOptions,
    connection_of,
)
from dfns_signers_gcp_kms.retrying import RetryPolicy, ask, ask_once
from dfns_signers_gcp_kms.steps import Pause, Steps, run

_ENABLED: Final = "ENABLED"


def create_key(algorithm: Algorithm, options: GcpKmsCreateOptions) -> KeyDescription:
    """Create a key version, and wait until it can sign.

    Raises:
        UnsupportedKeyError: the protection level does not offer the algorithm, or a crypto key
            that exists has another.
        KeyNotFoundError: the key ring is missing, and shall not be created.
        SigningKeyError: the crypto key exists, and no version shall be added; or Cloud KMS
            refused or failed.
    """
    kind = name_for(algorithm, options.rsa_bits)
    level = options.protection_level or ALGORITHMS[kind].level
    if level not in ALGORITHMS[kind].levels:
        raise UnsupportedKeyError(
            f"Cloud KMS has {kind} keys at the protection level "
            f"{' or '.join(ALGORITHMS[kind].levels)} only: set protection_level accordingly"
        )
    with connected(options) as clients:
        steps = _creation(kind, level, options)
        return _described(run(steps, clients.client), options)


def _creation(kind: str, level: str, options: GcpKmsCreateOptions) -> Steps[CryptoKeyVersion]:
    name, policy = options.crypto_key, policy_of(options)
    if options.create_key_ring:
        yield from _ensure_key_ring(split(name)[0], policy)
    if options.new_version:
        yield from _require_same_kind(name, kind, level, options)
    else:
        yield from _create_crypto_key(name, kind, level, policy)
    # Created apart from its key, so that the answer names it.
    version = yield from _create(policy, "create_crypto_key_version", name, {"parent": name})
    return (yield from _wait_until_enabled(version.name, policy))


def _create(policy: RetryPolicy, method: str, name: str, fields: Mapping[str, Any]) -> Steps[Any]:
    try:
        with translated(method, name):
            return (yield from ask_once(policy, method, fields))
    except SigningKeyError as error:
        cause = error.__cause__
        unknown = isinstance(cause, ServerError) and not is_token_failure(cause)
        if not (error.retriable and unknown):
            raise
        # Not retriable: what was created once would be created twice.
        raise SigningKeyError(
            f"{method} for {name} was sent, and what was asked for may have been created: look "
            f"with 'dfns-signers keys list' before you create it again ({error})"
        ) from error


def _ensure_key_ring(name: str, policy: RetryPolicy) -> Steps[None]:
    parent, own = split(name)
    try:
        fields = {"parent": parent, "key_ring_id": own}
        yield from _create(policy, "create_key_ring", name, fields)
    except SigningKeyError as error:
        if not isinstance(error.__cause__, AlreadyExists):
            raise


def _create_crypto_key(name: str, kind: str, level: str, policy: RetryPolicy) -> Steps[None]:
    parent, own = split(name)
    template = {"algorithm": kind, "protection_level": level}
    fields = {
        "parent": parent,
        "crypto_key_id": own,
        "crypto_key": {"purpose": "ASYMMETRIC_SIGN", "version_template": template},
        "skip_initial_version_creation": True,
    }
    try:
        yield from _create(policy, "create_crypto_key", name, fields)
    except SigningKeyError as error:
        if isinstance(error.__cause__, AlreadyExists):
            raise SigningKeyError(
                f"the crypto key {name} exists already: add a version to it with "
                "new_version=true, or choose another name"
            ) from error
        if isinstance(error.__cause__, NotFound):
            raise KeyNotFoundError(
                f"there is no key ring {parent}: create it too with create_key_ring=true, or "
                "choose another one"
            ) from error
        raise


def _require_same_kind(
    name: str, kind: str, level: str, options: GcpKmsCreateOptions
) -> Steps[None]:
    """Refuse to add a version of another kind than was asked for: its key determines it."""
    with translated("get_crypto_key", name):
        answer = yield from ask(policy_of(options), "get_crypto_key", {"name": name})
    template = answer.message.version_template
    found = algorithm_name(template), template.protection_level.name
    if found[0] != kind or (options.protection_level and found[1] != level):
        raise UnsupportedKeyError(
            f"versions of {name} have the algorithm {found[0]} at the protection level {found[1]}, "
            f"and {kind} at {level} was asked for: create another crypto key"
        )


def _wait_until_enabled(name: str, policy: RetryPolicy) -> Steps[CryptoKeyVersion]:
    end = policy.clock() + policy.generation_timeout
    for pause in policy.pauses():
        with translated("get_crypto_key_version", name):
            version = (yield from ask(policy, "get_crypto_key_version", {"name": name})).message
        if version.state.name == _ENABLED:
            return cast("CryptoKeyVersion", version)
        left = end - policy.clock()
        if version.state.name != PENDING or left <= 0:
            raise KeyStateError(
                f"{name} was created and cannot sign yet: it is {version.state.name}. Look at it "
                "again with 'dfns-signers keys list', or raise generation_timeout"
            )
        yield Pause(min(pause, left))
    raise AssertionError("pauses have no end")


def list_keys(options: GcpKmsListOptions) -> Iterator[KeyDescription]:
    """Every version of every signing key below the parent.

    Raises:
        SigningKeyError: Cloud KMS refused or failed.
    """
    with connected(options) as clients:
        lister = _Lister(clients.client, policy_of(options))
        for key in lister.crypto_keys(options.parent):
            for version in lister.pages("list_crypto_key_versions", key, "crypto_key_versions"):
                yield _described(version, options)


class _Lister:
    """Lists page by page."""

    def __init__(self, client: KeyManagementServiceClient, policy: RetryPolicy) -> None:
        self._client = client
        self._policy = policy

    def crypto_keys(self, parent: str) -> Iterator[str]:
        """Names of the signing keys in a location or key ring, or of one."""
        if is_crypto_key(parent):
            yield parent
        elif is_key_ring(parent):
            for key in self.pages("list_crypto_keys", parent, "crypto_keys"):
                if key.purpose == CryptoKey.CryptoKeyPurpose.ASYMMETRIC_SIGN:
                    yield key.name
        else:
            for ring in self.pages("list_key_rings", parent, "key_rings"):
                yield from self.crypto_keys(ring.name)

    def pages(self, method: str, parent: str, member: str) -> Iterator[Any]:
        """The items of every page."""
        token = ""
        while True:
            page = run(self._page(method, parent, token), self._client)
            yield from getattr(page, member)
            token = page.next_page_token
            if not token:
                return

    def _page(self, method: str, parent: str, token: str) -> Steps[Any]:
        with translated(method, parent):
            fields: Mapping[str, Any] = {"parent": parent, "page_token": token}
            return (yield from ask(self._policy, method, fields)).message


def _described(version: CryptoKeyVersion, options: ConnectionOptions) -> KeyDescription:
    kind = algorithm_name(version)
    known = ALGORITHMS.get(kind)
    signer = {"backend": "gcp-kms", "key_version": version.name, **connection_of(options)}
    return KeyDescription(
        reference=version.name,
        algorithm=known.algorithm if known else None,
        kind=f"{kind} ({version.protection_level.name})",
        state=version.state.name,
        signer=signer if known else {},
    )
