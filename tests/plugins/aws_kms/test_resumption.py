"""Creations that end in the middle, on real servers, and go on without a second key."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from dfns_signers.algorithms import Algorithm
from dfns_signers.errors import SigningKeyError
from dfns_signers_aws_kms.options import AwsKmsCreate, AwsKmsOptions
from dfns_signers_aws_kms.plugin import AwsKmsBackend
from dfns_signers_testkit.aws import REGION
from tests.plugins.aws_kms.interruptions import Cut, CutOnce
from tests.plugins.aws_kms.stores import Store

BACKEND = AwsKmsBackend()


def new_alias() -> str:
    return f"alias/resumed/{uuid.uuid4()}x"


def cuts(*requests: tuple[str, int]) -> pytest.MarkDecorator:
    every = [Cut(*request, is_sent) for request in requests for is_sent in (False, True)]
    return pytest.mark.parametrize("cut", every, ids=str)


def through(proxy: CutOnce, **options: Any) -> dict[str, Any]:
    return {"region": REGION, "endpoint_url": proxy.url, "max_attempts": 1, **options}


@cuts(("DescribeKey", 1), ("CreateKey", 1), ("CreateAlias", 1), ("DescribeKey", 2))
def test_creation_killed_at_any_step_is_resumed_without_a_second_key(
    store: Store, cut: Cut
) -> None:
    with CutOnce(store.url, cut) as proxy:
        options = AwsKmsCreate(**through(proxy, alias=new_alias(), description="signs"))
        with pytest.raises(SigningKeyError):
            BACKEND.create(Algorithm.ES256, options)
        assert proxy.has_cut

        made = BACKEND.find(Algorithm.ES256, options) or BACKEND.create(Algorithm.ES256, options)

    assert proxy.carried_out["CreateKey"] == 1
    assert (made.algorithm, made.state, made.names) == ("ES256", "Enabled", (options.alias,))
    assert store.client.describe_key(KeyId=options.alias)["KeyMetadata"]["Arn"] == made.reference


@cuts(("DescribeKey", 1), ("CreateKey", 1), ("CreateAlias", 1))
def test_next_key_killed_at_any_step_is_resumed_without_a_second_one(
    store: Store, cut: Cut
) -> None:
    alias = new_alias()
    present = store.create("ECC_NIST_P256")
    store.client.create_alias(AliasName=alias, TargetKeyId=present)
    with CutOnce(store.url, cut) as proxy:
        options = AwsKmsOptions(key_id=alias, **through(proxy))
        with pytest.raises(SigningKeyError):
            BACKEND.create_next(options)
        assert proxy.has_cut

        following = BACKEND.create_next(options)

    assert proxy.carried_out["CreateKey"] == 1
    assert following.names == (f"{alias}-2",)
    assert store.client.describe_key(KeyId=alias)["KeyMetadata"]["Arn"] == present


def test_key_of_an_alias_is_found_with_the_algorithm_that_it_has(store: Store) -> None:
    arn = store.create("ECC_SECG_P256K1")
    alias = store.alias(arn)
    options = AwsKmsCreate(region=REGION, endpoint_url=store.url, alias=alias)

    found = BACKEND.find(Algorithm.ES256, options)

    assert found is not None
    assert (found.reference, found.algorithm, found.names) == (arn, "ES256K", (alias,))
    assert found.signer == {"backend": "aws-kms", "key_id": arn, "endpoint_url": store.url}


def test_no_key_is_found_for_an_alias_that_nothing_was_created_for(store: Store) -> None:
    options = AwsKmsCreate(region=REGION, endpoint_url=store.url, alias=new_alias())

    assert BACKEND.find(Algorithm.ES256, options) is None


def test_next_key_has_the_spec_and_region_scope_of_the_present_one_and_signs(store: Store) -> None:
    present = store.create("ECC_SECG_P256K1", MultiRegion=True)
    options = AwsKmsOptions(key_id=present, endpoint_url=store.url, read_timeout=20.0)

    following, again = BACKEND.create_next(options), BACKEND.create_next(options)

    assert again == following
    assert (following.kind, following.names) == ("ECC_SECG_P256K1", ())
    metadata = store.client.describe_key(KeyId=following.reference)["KeyMetadata"]
    assert (metadata["MultiRegion"], metadata["Arn"] == present) == (True, False)
    assert following.signer == {
        "backend": "aws-kms",
        "key_id": following.reference,
        "endpoint_url": store.url,
        "read_timeout": 20.0,
    }
    table = {name: value for name, value in following.signer.items() if name != "backend"}
    with BACKEND.open(AwsKmsOptions(**table)) as key:
        assert key.sign(b"message")
