"""Operations on key rings, crypto keys and versions."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final, cast

from google.cloud import kms_v1

from cloud_kms_emulator import messages
from cloud_kms_emulator.algorithms import ALGORITHMS
from cloud_kms_emulator.names import check_id, check_name
from cloud_kms_emulator.paging import ItemT, page_of
from cloud_kms_emulator.refusals import invalid, unimplemented
from cloud_kms_emulator.store import DESTROY_AFTER, State, Store

_SHORTEST_DESTRUCTION: Final = 86_400.0
_LONGEST_DESTRUCTION: Final = 120 * 86_400.0


class ResourceOperations:
    """What the emulator does with resources.

    Args:
        store: what it holds.
        page_size: items on a page when a request names no size.
    """

    def __init__(self, store: Store, page_size: int) -> None:
        self._store = store
        self._page_size = page_size

    def create_key_ring(self, request: kms_v1.CreateKeyRingRequest) -> kms_v1.KeyRing:
        """Create an empty key ring."""
        check_name("location", request.parent)
        ring_id = check_id("key_ring_id", request.key_ring_id)
        return messages.key_ring(self._store.add_ring(f"{request.parent}/keyRings/{ring_id}"))

    def get_key_ring(self, request: kms_v1.GetKeyRingRequest) -> kms_v1.KeyRing:
        """Read a key ring."""
        return messages.key_ring(self._store.ring(request.name))

    def list_key_rings(self, request: kms_v1.ListKeyRingsRequest) -> kms_v1.ListKeyRingsResponse:
        """List the key rings of a location."""
        page, place = self._page(self._store.rings_in(request.parent), request)
        return kms_v1.ListKeyRingsResponse(
            key_rings=[messages.key_ring(one) for one in page], **place
        )

    def create_crypto_key(self, request: kms_v1.CreateCryptoKeyRequest) -> kms_v1.CryptoKey:
        """Create a crypto key, and its first version unless the request says not to."""
        key_id = check_id("crypto_key_id", request.crypto_key_id)
        algorithm, level = _checked_template(request.crypto_key)
        key = self._store.add_key(
            f"{request.parent}/cryptoKeys/{key_id}",
            algorithm,
            level,
            labels=dict(request.crypto_key.labels),
            destroy_after=_destroy_after(request.crypto_key),
        )
        if not request.skip_initial_version_creation:
            self._store.add_version(key.name)
        return messages.crypto_key(key)

    def get_crypto_key(self, request: kms_v1.GetCryptoKeyRequest) -> kms_v1.CryptoKey:
        """Read a crypto key."""
        return messages.crypto_key(self._store.key(request.name))

    def list_crypto_keys(
        self, request: kms_v1.ListCryptoKeysRequest
    ) -> kms_v1.ListCryptoKeysResponse:
        """List the crypto keys of a key ring."""
        page, place = self._page(self._store.keys_in(request.parent), request)
        return kms_v1.ListCryptoKeysResponse(
            crypto_keys=[messages.crypto_key(one) for one in page], **place
        )

    def create_crypto_key_version(
        self, request: kms_v1.CreateCryptoKeyVersionRequest
    ) -> kms_v1.CryptoKeyVersion:
        """Add a version; it is pending generation at first."""
        return messages.version(self._store.add_version(request.parent))

    def get_crypto_key_version(
        self, request: kms_v1.GetCryptoKeyVersionRequest
    ) -> kms_v1.CryptoKeyVersion:
        """Read a version in whatever state."""
        return messages.version(self._store.version(request.name))

    def list_crypto_key_versions(
        self, request: kms_v1.ListCryptoKeyVersionsRequest
    ) -> kms_v1.ListCryptoKeyVersionsResponse:
        """List the versions of a crypto key."""
        page, place = self._page(self._store.versions_of(request.parent), request)
        return kms_v1.ListCryptoKeyVersionsResponse(
            crypto_key_versions=[messages.version(one) for one in page], **place
        )

    def update_crypto_key_version(
        self, request: kms_v1.UpdateCryptoKeyVersionRequest
    ) -> kms_v1.CryptoKeyVersion:
        """Enable or disable a version."""
        paths = list(request.update_mask.paths)
        if paths != ["state"]:
            raise unimplemented(f"updates the state of a version only, not {paths}")
        target = request.crypto_key_version.state.name
        if target not in {"ENABLED", "DISABLED"}:
            raise invalid(f"A version can be set to ENABLED or DISABLED, not to {target}.")
        with self._store.lock:
            version = self._store.version(request.crypto_key_version.name)
            version.require(State.ENABLED, State.DISABLED)
            version.state = State[target]
            return messages.version(version)

    def destroy_crypto_key_version(
        self, request: kms_v1.DestroyCryptoKeyVersionRequest
    ) -> kms_v1.CryptoKeyVersion:
        """Schedule the destruction of a version."""
        with self._store.lock:
            version = self._store.version(request.name)
            version.require(State.ENABLED, State.DISABLED)
            version.put(State.DESTROY_SCHEDULED, self._store.clock())
            return messages.version(version)

    def restore_crypto_key_version(
        self, request: kms_v1.RestoreCryptoKeyVersionRequest
    ) -> kms_v1.CryptoKeyVersion:
        """Take back a scheduled destruction; the version is disabled afterwards."""
        with self._store.lock:
            version = self._store.version(request.name)
            version.require(State.DESTROY_SCHEDULED)
            version.state = State.DISABLED
            return messages.version(version)

    def _page(self, items: Sequence[ItemT], request: Any) -> tuple[list[ItemT], dict[str, Any]]:
        """One page, and what a response says of its place in the list."""
        page, token = page_of(
            items,
            parent=request.parent,
            size=request.page_size,
            token=request.page_token,
            default=self._page_size,
        )
        return page, {"next_page_token": token, "total_size": len(items)}


def _checked_template(key: kms_v1.CryptoKey) -> tuple[str, str]:
    """Algorithm and protection level of the versions of a key to be created."""
    name = key.version_template.algorithm.name
    level = key.version_template.protection_level.name
    if name == "CRYPTO_KEY_VERSION_ALGORITHM_UNSPECIFIED":
        raise invalid("version_template.algorithm is required for this purpose.")
    if name not in ALGORITHMS:
        raise unimplemented(f"has no {name} keys")
    if key.purpose.name != ALGORITHMS[name].purpose:
        raise invalid(f"{name} is not for the purpose {key.purpose.name}.")
    if level == "PROTECTION_LEVEL_UNSPECIFIED":
        level = "SOFTWARE"
    if level not in ALGORITHMS[name].levels:
        raise invalid(f"{name} is not available at the protection level {level}.")
    return name, level


def _destroy_after(key: kms_v1.CryptoKey) -> float:
    """Seconds that versions of a key to be created stay scheduled for destruction."""
    if "destroy_scheduled_duration" not in key:
        return DESTROY_AFTER
    # Google's client shows a Duration as a timedelta.
    seconds: float = cast("timedelta", key.destroy_scheduled_duration).total_seconds()
    if not _SHORTEST_DESTRUCTION <= seconds <= _LONGEST_DESTRUCTION:
        raise invalid("destroy_scheduled_duration is between 1 and 120 days.")
    return seconds
