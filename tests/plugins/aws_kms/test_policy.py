"""The IAM policy for a key, as far as its name says which one it is."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from dfns_signers_aws_kms.options import AwsKmsOptions
from dfns_signers_aws_kms.plugin import AwsKmsBackend
from tests.plugins.aws_kms.kms_double import ACCOUNT, REGION, KmsDouble

UUID = "1234abcd-12ab-34cd-56ef-1234567890ab"
PLACE = f"arn:aws:kms:{REGION}:{ACCOUNT}"
OWN_ACCOUNT = {"StringEquals": {"aws:ResourceAccount": "${aws:PrincipalAccount}"}}
WITH_ALIAS = {"ForAnyValue:StringEquals": {"kms:ResourceAliases": ["alias/dfns"]}}


def statement(key_id: str, **options: Any) -> dict[str, Any]:
    policy = AwsKmsBackend().policy(AwsKmsOptions(key_id=key_id, **options))
    assert policy.kind == "IAM policy"
    document = json.loads(policy.text)
    assert document["Version"] == "2012-10-17"
    (only,) = document["Statement"]
    return dict(only)


def test_policy_of_an_arn_is_for_that_key_alone() -> None:
    assert statement(f"{PLACE}:key/{UUID}") == {
        "Effect": "Allow",
        "Action": ["kms:DescribeKey", "kms:GetPublicKey", "kms:Sign"],
        "Resource": f"{PLACE}:key/{UUID}",
    }


def test_policy_of_an_alias_is_for_the_key_that_it_leads_to_where_the_store_says_it(
    double: KmsDouble,
) -> None:
    arn = double.add("ECC_NIST_P256", alias="alias/dfns")

    found = statement("alias/dfns", region=REGION, endpoint_url=double.url)

    assert (found["Resource"], "Condition" in found) == (arn, False)


def test_policy_of_an_alias_arn_is_for_the_key_of_its_account_that_has_the_alias() -> None:
    found = statement(f"{PLACE}:alias/dfns")

    assert (found["Resource"], found["Condition"]) == (f"{PLACE}:key/*", WITH_ALIAS)


def test_policy_of_an_alias_name_is_for_the_key_of_the_callers_account() -> None:
    found = statement("alias/dfns", region=REGION)

    assert found["Resource"] == f"arn:aws:kms:{REGION}:*:key/*"
    assert found["Condition"] == {**OWN_ACCOUNT, **WITH_ALIAS}


def test_policy_of_a_key_id_is_for_the_key_of_the_callers_account() -> None:
    found = statement(UUID, region=REGION)

    assert found["Resource"] == f"arn:aws:kms:{REGION}:*:key/{UUID}"
    assert found["Condition"] == OWN_ACCOUNT


def test_policy_is_for_the_region_and_partition_of_the_aws_profile(
    aws_config: Callable[[str], None],
) -> None:
    aws_config("[profile ops]\nregion = cn-north-1\n")

    assert statement(UUID, profile="ops")["Resource"].startswith("arn:aws-cn:kms:cn-north-1:")


@pytest.mark.parametrize("options", [{}, {"profile": "nobody"}])
def test_policy_is_there_also_where_the_key_could_not_be_opened(options: dict[str, str]) -> None:
    assert statement(UUID, **options)["Resource"] == f"arn:aws:kms:*:*:key/{UUID}"


def test_policy_allows_what_opening_signing_and_their_diagnosis_ask_for(double: KmsDouble) -> None:
    options = AwsKmsOptions(key_id=double.add("ECC_NIST_P256"), endpoint_url=double.url)
    backend = AwsKmsBackend()
    list(backend.diagnose(options))
    with backend.open(options) as key:
        key.sign(b"message")

    asked = {f"kms:{operation}" for operation, _ in double.calls}

    assert asked == set(statement(options.key_id)["Action"])
