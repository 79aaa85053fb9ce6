"""The RPCs as one table: what each reads, which permission it needs, and what carries it out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from google.cloud import kms_v1

from cloud_kms_emulator import iam
from cloud_kms_emulator.iam import IamOperations
from cloud_kms_emulator.resources import ResourceOperations
from cloud_kms_emulator.signing import SigningOperations

KMS: Final = "google.cloud.kms.v1.KeyManagementService"

_PAGE = frozenset({"parent", "page_size", "page_token"})
_NAME = frozenset({"name"})


@dataclass(frozen=True, slots=True)
class Operation:
    """One RPC.

    Attributes:
        request: Google's message of the request.
        response: Google's message of the response.
        run: carries it out.
        permission: what the caller needs, without ``cloudkms.``; None for nothing.
        fields: fields of the request that are read; any other is refused.
        resource: dotted field that names the resource on which the permission is needed.
        service: the gRPC service that it belongs to.
    """

    request: Any
    response: Any
    run: Callable[[Any], Any]
    permission: str | None
    fields: frozenset[str] = _NAME
    resource: str = "name"
    service: str = KMS


def operations(
    resources: ResourceOperations, signing: SigningOperations, policies: IamOperations
) -> Mapping[str, Operation]:
    """Every RPC that is emulated, by its name in the API."""
    return {
        "CreateKeyRing": Operation(
            kms_v1.CreateKeyRingRequest,
            kms_v1.KeyRing,
            resources.create_key_ring,
            "keyRings.create",
            frozenset({"parent", "key_ring_id", "key_ring{}"}),
            "parent",
        ),
        "GetKeyRing": Operation(
            kms_v1.GetKeyRingRequest, kms_v1.KeyRing, resources.get_key_ring, "keyRings.get"
        ),
        "ListKeyRings": Operation(
            kms_v1.ListKeyRingsRequest,
            kms_v1.ListKeyRingsResponse,
            resources.list_key_rings,
            "keyRings.list",
            _PAGE,
            "parent",
        ),
        "CreateCryptoKey": Operation(
            kms_v1.CreateCryptoKeyRequest,
            kms_v1.CryptoKey,
            resources.create_crypto_key,
            "cryptoKeys.create",
            frozenset(
                {
                    "parent",
                    "crypto_key_id",
                    "crypto_key.purpose",
                    "crypto_key.version_template.algorithm",
                    "crypto_key.version_template.protection_level",
                    "crypto_key.labels",
                    "crypto_key.destroy_scheduled_duration",
                    "skip_initial_version_creation",
                }
            ),
            "parent",
        ),
        "GetCryptoKey": Operation(
            kms_v1.GetCryptoKeyRequest, kms_v1.CryptoKey, resources.get_crypto_key, "cryptoKeys.get"
        ),
        "ListCryptoKeys": Operation(
            kms_v1.ListCryptoKeysRequest,
            kms_v1.ListCryptoKeysResponse,
            resources.list_crypto_keys,
            "cryptoKeys.list",
            _PAGE,
            "parent",
        ),
        "CreateCryptoKeyVersion": Operation(
            kms_v1.CreateCryptoKeyVersionRequest,
            kms_v1.CryptoKeyVersion,
            resources.create_crypto_key_version,
            "cryptoKeyVersions.create",
            frozenset({"parent", "crypto_key_version{}"}),
            "parent",
        ),
        "GetCryptoKeyVersion": Operation(
            kms_v1.GetCryptoKeyVersionRequest,
            kms_v1.CryptoKeyVersion,
            resources.get_crypto_key_version,
            "cryptoKeyVersions.get",
        ),
        "ListCryptoKeyVersions": Operation(
            kms_v1.ListCryptoKeyVersionsRequest,
            kms_v1.ListCryptoKeyVersionsResponse,
            resources.list_crypto_key_versions,
            "cryptoKeyVersions.list",
            _PAGE,
            "parent",
        ),
        "UpdateCryptoKeyVersion": Operation(
            kms_v1.UpdateCryptoKeyVersionRequest,
            kms_v1.CryptoKeyVersion,
            resources.update_crypto_key_version,
            "cryptoKeyVersions.update",
            # The whole version as it was read may come back: the mask says what counts.
            frozenset({"crypto_key_version", "update_mask"}),
            "crypto_key_version.name",
        ),
        "DestroyCryptoKeyVersion": Operation(
            kms_v1.DestroyCryptoKeyVersionRequest,
            kms_v1.CryptoKeyVersion,
            resources.destroy_crypto_key_version,
            "cryptoKeyVersions.destroy",
        ),
        "RestoreCryptoKeyVersion": Operation(
            kms_v1.RestoreCryptoKeyVersionRequest,
            kms_v1.CryptoKeyVersion,
            resources.restore_crypto_key_version,
            "cryptoKeyVersions.restore",
        ),
        "GetPublicKey": Operation(
            kms_v1.GetPublicKeyRequest,
            kms_v1.PublicKey,
            signing.get_public_key,
            "cryptoKeyVersions.viewPublicKey",
        ),
        "AsymmetricSign": Operation(
            kms_v1.AsymmetricSignRequest,
            kms_v1.AsymmetricSignResponse,
            signing.asymmetric_sign,
            "cryptoKeyVersions.useToSign",
            frozenset(
                {
                    "name",
                    "data",
                    "data_crc32c",
                    "digest.sha256",
                    "digest.sha384",
                    "digest.sha512",
                    "digest_crc32c",
                }
            ),
        ),
        "AsymmetricDecrypt": Operation(
            kms_v1.AsymmetricDecryptRequest,
            kms_v1.AsymmetricDecryptResponse,
            signing.asymmetric_decrypt,
            "cryptoKeyVersions.useToDecrypt",
            frozenset({"name", "ciphertext", "ciphertext_crc32c"}),
        ),
        "TestIamPermissions": Operation(
            iam.REQUEST,
            iam.RESPONSE,
            policies.test_iam_permissions,
            None,
            frozenset({"resource", "permissions"}),
            "resource",
            iam.SERVICE,
        ),
    }
