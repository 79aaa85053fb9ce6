"""What the configuration may say, and what is refused."""

from __future__ import annotations

import contextlib
import math
import string
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from dfns_signers.config.assembly import validated_options
from dfns_signers.config.loading import load_profile
from dfns_signers.errors import ConfigurationError
from dfns_signers_aws_kms.names import KeyId, is_key_arn
from dfns_signers_aws_kms.options import AwsKmsCreate

ID = "1234abcd-12ab-34cd-56ef-1234567890ab"
MRK = "mrk-1234abcd12ab34cd56ef1234567890ab"
ARN = f"arn:aws:kms:eu-west-1:111122223333:key/{ID}"
ALIAS_ARN = "arn:aws-us-gov:kms:us-gov-west-1:111122223333:alias/dfns/production"


def options_of(**table: Any) -> Any:
    signer = {"backend": "aws-kms", "key_id": "alias/dfns", **table}
    return validated_options(load_profile(credential_id="cr-1", signer=signer))


@pytest.mark.parametrize(
    ("text", "region", "is_alias"),
    [
        (ID, None, False),
        (ID.upper(), None, False),
        (MRK, None, False),
        (ARN, "eu-west-1", False),
        (ARN.replace(ID, MRK), "eu-west-1", False),
        ("alias/dfns-production", None, True),
        ("alias/team/dfns_1", None, True),
        (ALIAS_ARN, "us-gov-west-1", True),
        (ALIAS_ARN.replace("aws-us-gov", "aws-cn"), "us-gov-west-1", True),
    ],
)
def test_key_id_is_taken_as_aws_writes_it(text: str, region: str | None, is_alias: bool) -> None:
    assert options_of(key_id=text).key_id == text
    assert KeyId.parse(text) == KeyId(text, region, is_alias)


@pytest.mark.parametrize(
    "text",
    [
        " ",
        "dfns production",
        "alias/",
        "alias/dfns production",
        "alias/dfns\n",
        ID[:-1],
        ID + "0",
        "mrk-1234",
        MRK.replace("mrk", "MRK"),
        "ALIAS/dfns",
        ARN.replace("eu-west-1", "EU-WEST-1"),
        ARN.replace("arn:", "ARN:"),
        f"key/{ID}",
        f"arn:aws:kms:eu-west-1:1111:key/{ID}",
        f"arn:aws:kms:eu-west-1:111122223333:{ID}",
        f"arn:aws:s3:eu-west-1:111122223333:key/{ID}",
        "projects/p/locations/l/keyRings/r/cryptoKeys/k/cryptoKeyVersions/1",
    ],
)
def test_malformed_key_id_is_refused_with_the_forms_there_are(text: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        options_of(key_id=text)

    said = str(caught.value)
    assert "key 'signer.key_id'" in said or "key 'key_id'" in said
    for form in ("a key id (", "a key ARN (arn:aws:kms:", "an alias name (alias/", "alias ARN"):
        assert form in said


def test_alias_without_its_prefix_is_refused_with_what_was_probably_meant() -> None:
    with pytest.raises(
        ConfigurationError, match=r"if it is an alias, write alias/dfns-production$"
    ):
        options_of(key_id="dfns-production")


@settings(deadline=None)
@given(name=st.text(string.ascii_letters + string.digits + "/_-", min_size=1, max_size=250))
def test_alias_of_any_allowed_name_is_taken_and_is_no_key_arn(name: str) -> None:
    alias = f"alias/{name}"
    arn = f"arn:aws:kms:eu-west-1:111122223333:{alias}"

    assert KeyId.parse(alias).is_alias
    assert KeyId.parse(arn).is_alias
    assert not is_key_arn(arn)


@pytest.mark.parametrize(
    ("arn", "expected"),
    [
        (ALIAS_ARN.partition("alias/")[0] + f"key/{ID}", True),
        (ALIAS_ARN.partition("alias/")[0].replace("west", "east") + f"key/{ID}", False),
        (ALIAS_ARN.partition("alias/")[0].replace("1111", "9999") + f"key/{ID}", False),
        (ALIAS_ARN, False),
    ],
)
def test_alias_arn_names_keys_of_its_own_account_and_region(arn: str, expected: bool) -> None:
    assert KeyId.parse(ALIAS_ARN).names(arn) is expected
    assert KeyId.parse("alias/dfns").names(arn) is (f"key/{ID}" in arn)


@settings(deadline=None)
@given(text=st.text(max_size=60))
def test_any_text_is_taken_as_it_is_or_refused_with_a_value_error(text: str) -> None:
    with contextlib.suppress(ValueError):
        assert KeyId.parse(text).text == text


def test_region_beside_an_arn_of_another_region_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="says the region eu-west-1, and 'region' says"):
        options_of(key_id=ARN, region="us-east-1")


def test_region_beside_an_arn_of_the_same_region_is_taken() -> None:
    assert options_of(key_id=ARN, region="eu-west-1").region == "eu-west-1"


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ({"region": ""}, "a string that is not empty"),
        ({"profile": ""}, "a string that is not empty"),
        ({"endpoint_url": "localhost:4566"}, "expected an address"),
        ({"endpoint_url": "ftp://localhost"}, "expected an address"),
        ({"endpoint_url": "http://[::1"}, "expected an address"),
        ({"endpoint_url": "http://localhost:99999"}, "expected an address"),
        ({"endpoint_url": "http://kms.example"}, "would be reached unencrypted: use https"),
        ({"endpoint_url": "http://127.example.org"}, "would be reached unencrypted: use https"),
        ({"endpoint_url": "https://user@kms.example"}, "without user, password, query"),
        ({"endpoint_url": "https://:hidden@kms.example"}, "without user, password, query"),
        ({"endpoint_url": "https://kms.example?x=1"}, "without user, password, query"),
        ({"endpoint_url": "https://kms.example#x"}, "without user, password, query"),
        ({"role_arn": "dfns-signer"}, "expected the ARN of a role"),
        ({"role_arn": "arn:aws:iam::111122223333:user/dfns"}, "expected the ARN of a role"),
        ({"role_external_id": "x"}, "expected 'role_arn' beside 'role_external_id'"),
        ({"role_session_name": "x"}, "expected 'role_arn' beside 'role_session_name'"),
        (
            {"endpoint_url": "http://localhost:4566", "use_fips_endpoint": True},
            "one of 'endpoint_url' and 'use_fips_endpoint'",
        ),
        ({"use_fips_endpoint": "yes"}, "true or false"),
        ({"max_connections": 0}, "greater than or equal to 1"),
        ({"max_attempts": 0}, "greater than or equal to 1"),
        ({"connect_timeout": 0}, "greater than 0"),
        ({"read_timeout": -1}, "greater than 0"),
        ({"connect_timeout": math.inf}, "finite"),
        ({"read_timeout": math.nan}, "finite"),
        ({"connect_timeout": 86_401}, "less than or equal to 86400"),
        ({"read_timeout": 1e12}, "less than or equal to 86400"),
        ({"timeout": 0}, "greater than 0"),
        ({"fingerprint": "1234"}, "expected a fingerprint"),
        ({"secret_access_key": "x"}, "unknown key. Known keys: "),
        ({"keyid": "alias/x"}, "did you mean 'key_id'?"),
    ],
)
def test_setting_that_cannot_be_meant_is_refused_with_what_was_expected(
    table: dict[str, Any], said: str
) -> None:
    with pytest.raises(ConfigurationError) as caught:
        options_of(**table)

    assert said in str(caught.value)
    assert "hidden" not in str(caught.value)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"rsa_bits": 1024}, "expected 2048, 3072 or 4096"),
        ({"alias": "dfns"}, "pattern"),
        ({"alias": "alias/dfns production"}, "pattern"),
        ({"description": ""}, "at least 1 character"),
        ({"tags": {"team": 1}}, "valid string"),
        ({"key_id": "alias/dfns"}, "not permitted"),
    ],
)
def test_creation_option_that_cannot_be_meant_is_refused(
    options: dict[str, Any], said: str
) -> None:
    with pytest.raises(ValidationError, match=said):
        AwsKmsCreate(**options)


def test_one_line_configures_a_key_as_a_table_does() -> None:
    line = f"aws-kms:?key_id={ARN}&max_attempts=2&read_timeout=1.5&use_fips_endpoint=true"

    options = validated_options(load_profile(credential_id="cr-1", signer=line))

    assert options == options_of(
        key_id=ARN, max_attempts=2, read_timeout=1.5, use_fips_endpoint=True
    )


def test_key_is_the_only_option_that_must_be_said() -> None:
    with pytest.raises(ConfigurationError, match=r"key_id.*missing; expected: The key as AWS"):
        validated_options(load_profile(credential_id="cr-1", signer={"backend": "aws-kms"}))
