"""Where the local servers differ from AWS and from each other, so that a change is noticed.

None of it reaches a user of the backend; each shows why a check is made on this side.
"""

from __future__ import annotations

import hashlib
from typing import Any

import pytest
from botocore.exceptions import ClientError
from cryptography.hazmat.primitives.asymmetric import ec

from tests.plugins.aws_kms.stores import Store


def code_of(call: Any, **members: Any) -> str:
    with pytest.raises(ClientError) as caught:
        call(**members)
    return str(caught.value.response["Error"]["Code"])


def sign(store: Store, arn: str, **changes: Any) -> Any:
    members = {"KeyId": arn, "Message": b"m", "SigningAlgorithm": "ECDSA_SHA_256"} | changes
    return store.client.sign(**members)


def test_localstack_creates_no_ed25519_key(localstack: Store) -> None:
    code = code_of(
        localstack.client.create_key, KeySpec="ECC_NIST_EDWARDS25519", KeyUsage="SIGN_VERIFY"
    )

    assert code == "ValidationException"


def test_ministack_refuses_to_sign_a_digest_with_prehashed_ed25519(ministack: Store) -> None:
    code = code_of(
        ministack.client.sign,
        KeyId=ministack.arn("ECC_NIST_EDWARDS25519"),
        Message=hashlib.sha512(b"m").digest(),
        MessageType="DIGEST",
        SigningAlgorithm="ED25519_PH_SHA_512",
    )

    assert code == "UnsupportedOperationException"


def test_both_sign_raw_messages_that_are_too_long_for_aws(store: Store) -> None:
    assert sign(store, store.arn("ECC_NIST_P256"), Message=b"x" * 4097)["Signature"]


def test_ministack_signs_raw_ed25519_messages_that_are_too_long_for_aws(ministack: Store) -> None:
    arn = ministack.arn("ECC_NIST_EDWARDS25519")

    answer = sign(ministack, arn, Message=b"x" * 4097, SigningAlgorithm="ED25519_SHA_512")

    assert len(answer["Signature"]) == 64


def test_both_sign_in_a_dry_run(store: Store) -> None:
    assert sign(store, store.arn("ECC_NIST_P256"), DryRun=True)["Signature"]


def test_both_refuse_a_digest_of_another_length(store: Store) -> None:
    arn = store.arn("ECC_NIST_P256")

    code = code_of(
        store.client.sign,
        KeyId=arn,
        Message=b"x" * 31,
        MessageType="DIGEST",
        SigningAlgorithm="ECDSA_SHA_256",
    )

    assert code == "ValidationException"


def test_localstack_signs_with_a_hash_that_aws_does_not_allow_for_the_curve(
    localstack: Store,
) -> None:
    arn = localstack.arn("ECC_NIST_P256")

    assert sign(localstack, arn, SigningAlgorithm="ECDSA_SHA_384")["Signature"]


def test_ministack_refuses_a_hash_that_does_not_fit_the_curve(ministack: Store) -> None:
    arn = ministack.arn("ECC_NIST_P256")

    code = code_of(ministack.client.sign, KeyId=arn, Message=b"m", SigningAlgorithm="ECDSA_SHA_384")

    assert code == "InvalidKeyUsageException"


@pytest.mark.parametrize(
    ("name", "expected"),
    [("localstack", "InternalError"), ("ministack", "InvalidKeyUsageException")],
)
def test_algorithm_of_another_family_is_an_error_of_another_kind_on_each(
    request: pytest.FixtureRequest, name: str, expected: str
) -> None:
    store: Store = request.getfixturevalue(name)

    code = code_of(
        store.client.sign,
        KeyId=store.arn("ECC_NIST_P256"),
        Message=b"m",
        SigningAlgorithm="RSASSA_PKCS1_V1_5_SHA_256",
    )

    assert code == expected


@pytest.mark.parametrize("name", ["localstack", "ministack"])
def test_only_localstack_keeps_the_public_key_of_a_key_pending_deletion(
    request: pytest.FixtureRequest, name: str
) -> None:
    store: Store = request.getfixturevalue(name)
    arn = store.create("ECC_NIST_P256")
    store.client.schedule_key_deletion(KeyId=arn, PendingWindowInDays=7)

    if name == "localstack":
        assert code_of(store.client.get_public_key, KeyId=arn) == "KMSInvalidStateException"
    else:
        assert store.client.get_public_key(KeyId=arn)["PublicKey"]


def test_only_ministack_refuses_to_give_out_a_public_key_that_does_not_exist(
    localstack: Store, ministack: Store
) -> None:
    without = localstack.client.get_public_key(
        KeyId=localstack.create("SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT")
    )
    code = code_of(
        ministack.client.get_public_key,
        KeyId=ministack.create("SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT"),
    )

    assert "PublicKey" not in without
    assert code == "UnsupportedOperationException"


def test_localstack_takes_key_material_of_ones_own_for_a_curve(localstack: Store) -> None:
    import base64  # noqa: PLC0415

    from cryptography.hazmat.primitives import serialization  # noqa: PLC0415

    private = ec.generate_private_key(ec.SECP256K1())
    material = private.private_bytes(
        serialization.Encoding.DER,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    tag = {"TagKey": "_custom_key_material_", "TagValue": base64.b64encode(material).decode()}

    arn = localstack.create("ECC_SECG_P256K1", Tags=[tag])

    with localstack.opened(arn) as key:
        assert key.public_key == private.public_key()
