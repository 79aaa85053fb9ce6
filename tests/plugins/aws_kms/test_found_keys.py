"""Which key is found for an alias, or as the successor of another, and which is not."""

from __future__ import annotations

from typing import Any

import pytest

from dfns_signers.algorithms import Algorithm
from dfns_signers.errors import KeyAccessError, SigningKeyError, UnsupportedKeyError
from dfns_signers_aws_kms.options import AwsKmsCreate, AwsKmsOptions
from dfns_signers_aws_kms.plugin import AwsKmsBackend
from tests.plugins.aws_kms.kms_double import ACCOUNT, REGION, KmsDouble, refuse
from tests.plugins.aws_kms.sts_double import ROLE, StsDouble

BACKEND = AwsKmsBackend()
DENIED = refuse("AccessDeniedException", "User is not authorized")


def to_create(double: KmsDouble, **options: Any) -> AwsKmsCreate:
    return AwsKmsCreate(region=REGION, endpoint_url=double.url, max_attempts=1, **options)


def configured(double: KmsDouble, key_id: str, **options: Any) -> AwsKmsOptions:
    return AwsKmsOptions(key_id=key_id, **{"region": REGION, "endpoint_url": double.url, **options})


def half_made(double: KmsDouble, options: AwsKmsCreate) -> str:
    """A key that was created for an alias, which was denied to it."""
    before = set(double.keys)
    double.fail("CreateAlias", DENIED)
    with pytest.raises(KeyAccessError):
        BACKEND.create(Algorithm.ES256, options)
    (arn,) = set(double.keys) - before
    return arn


def test_resuming_needs_an_alias(double: KmsDouble) -> None:
    with pytest.raises(SigningKeyError, match="name an 'alias' to resume"):
        BACKEND.find(Algorithm.ES256, to_create(double))

    assert double.calls == []


def test_key_that_did_not_get_its_alias_gets_it_when_it_is_found(double: KmsDouble) -> None:
    options = to_create(double, alias="alias/dfns", description="signs. " * 200)
    arn = half_made(double, options)

    found = BACKEND.find(Algorithm.ES256, options)

    assert found is not None
    assert found.reference == arn
    assert double.aliases == {"alias/dfns": arn}


def test_key_that_was_created_for_another_alias_is_not_found(double: KmsDouble) -> None:
    half_made(double, to_create(double, alias="alias/dfns-2"))

    assert BACKEND.find(Algorithm.ES256, to_create(double, alias="alias/dfns")) is None


def test_key_of_another_spec_that_was_created_for_the_alias_is_not_found(
    double: KmsDouble,
) -> None:
    options = to_create(double, alias="alias/dfns")
    half_made(double, options)

    assert BACKEND.find(Algorithm.ED25519, options) is None
    assert double.aliases == {}


@pytest.mark.parametrize("state", ["Disabled", "PendingDeletion"])
def test_key_that_was_given_up_is_not_found(double: KmsDouble, state: str) -> None:
    options = to_create(double, alias="alias/dfns")
    double.keys[half_made(double, options)].state = state

    assert BACKEND.find(Algorithm.ES256, options) is None


def test_alias_that_may_not_be_read_is_not_taken_for_a_free_one(double: KmsDouble) -> None:
    double.add("ECC_NIST_P256", alias="alias/dfns")
    double.fail("DescribeKey", DENIED)

    with pytest.raises(KeyAccessError, match="allow kms:DescribeKey"):
        BACKEND.find(Algorithm.ES256, to_create(double, alias="alias/dfns"))


def test_key_behind_an_alias_that_cannot_sign_has_no_algorithm(double: KmsDouble) -> None:
    double.add("RSA_2048", alias="alias/dfns", usage="ENCRYPT_DECRYPT")

    found = BACKEND.find(Algorithm.RS256, to_create(double, alias="alias/dfns"))

    assert found is not None
    assert (found.algorithm, found.signer) == (None, {})


@pytest.mark.parametrize(
    ("present", "following"),
    [
        ("alias/dfns", "alias/dfns-2"),
        ("alias/dfns-2", "alias/dfns-3"),
        ("alias/since-2026", "alias/since-2026-2"),
        ("alias/" + "x" * 250, "alias/" + "x" * 244 + "-2"),
    ],
)
@pytest.mark.parametrize("place", ["", f"arn:aws:kms:{REGION}:{ACCOUNT}:"], ids=["name", "ARN"])
def test_next_key_has_the_alias_of_the_present_one_with_the_next_number(
    double: KmsDouble, place: str, present: str, following: str
) -> None:
    arn = double.add("ECC_NIST_P256", alias=present)

    made = BACKEND.create_next(configured(double, place + present))

    assert made.names == (following,)
    assert double.aliases == {present: arn, following: made.reference}


def test_alias_of_another_key_is_passed_over(double: KmsDouble) -> None:
    double.add("ECC_NIST_P256", alias="alias/dfns")
    double.add("RSA_2048", alias="alias/dfns-2")

    made = BACKEND.create_next(configured(double, "alias/dfns"))

    assert BACKEND.create_next(configured(double, "alias/dfns")) == made
    assert made.names == ("alias/dfns-3",)


def test_next_key_that_was_disabled_is_followed_by_another(double: KmsDouble) -> None:
    options = configured(double, double.add("ECC_NIST_P256"))
    first = BACKEND.create_next(options)
    double.keys[first.reference].state = "Disabled"

    assert BACKEND.create_next(options).reference != first.reference


def test_each_of_two_keys_has_a_next_one_of_its_own(double: KmsDouble) -> None:
    first, second = (configured(double, double.add("ECC_NIST_P256")) for _ in range(2))

    assert BACKEND.create_next(first) != BACKEND.create_next(second)


def test_key_that_dfns_does_not_accept_has_no_next_one(double: KmsDouble) -> None:
    arn = double.add("ECC_NIST_P384")

    with pytest.raises(UnsupportedKeyError, match=f"the key {arn} has the key spec ECC_NIST_P384"):
        BACKEND.create_next(configured(double, arn))

    assert double.members("CreateKey") == []


def test_next_key_is_reached_like_the_present_one_and_is_not_pinned(
    double: KmsDouble, sts: StsDouble
) -> None:
    how = {"role_arn": ROLE, "role_external_id": "42", "read_timeout": 9.0}
    options = configured(
        double, double.add("ECC_NIST_P256"), fingerprint="sha256:" + "0" * 64, **how
    )

    made = BACKEND.create_next(options)

    where = {"backend": "aws-kms", "key_id": made.reference, "endpoint_url": double.url}
    assert made.signer == {**where, **how}
    assert len(sts.requests) == 1
