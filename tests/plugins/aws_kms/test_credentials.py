"""Where credentials come from, and what is said when there are none."""

from __future__ import annotations

from collections.abc import Callable

import boto3
import pytest

from dfns_signers.errors import ConfigurationError, KeyAccessError
from dfns_signers_aws_kms.client import kms_client
from dfns_signers_aws_kms.key import AwsKmsKey
from dfns_signers_aws_kms.options import AwsKmsConnection
from tests.plugins.aws_kms.kms_double import REGION, KmsDouble, refuse
from tests.plugins.aws_kms.sts_double import ROLE, StsDouble

Open = Callable[..., AwsKmsKey]


def signer_of_last_request(double: KmsDouble) -> str:
    return double.http.requests[-1].access_key_id


def test_environment_is_the_first_place_for_credentials(
    double: KmsDouble, open_key: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "from-environment")

    open_key(double.add("ECC_NIST_P256"))

    assert signer_of_last_request(double) == "from-environment"


def test_profile_that_is_configured_beats_the_environment(
    double: KmsDouble, open_key: Open, aws_config: Callable[[str], None]
) -> None:
    aws_config("[profile ops]\naws_access_key_id = from-profile\naws_secret_access_key = x\n")

    open_key(double.add("ECC_NIST_P256"), profile="ops")

    assert signer_of_last_request(double) == "from-profile"


def test_region_of_the_profile_serves_where_nothing_else_says_it(
    double: KmsDouble, open_key: Open, aws_config: Callable[[str], None]
) -> None:
    double.add("ECC_NIST_P256", alias="alias/dfns")
    aws_config(f"[profile ops]\nregion = {REGION}\naws_access_key_id=a\naws_secret_access_key=x\n")

    open_key("alias/dfns", profile="ops", region=None)

    assert double.http.requests[-1].region == REGION


def test_endpoint_of_the_aws_configuration_is_used_where_none_is_configured(
    double: KmsDouble, open_key: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_KMS", double.url)

    open_key(double.add("ECC_NIST_P256"), endpoint_url=None)

    assert double.calls


def test_expired_credentials_are_reported_when_the_key_is_opened(
    double: KmsDouble, open_key: Open
) -> None:
    double.fail("GetPublicKey", refuse("ExpiredTokenException", "The security token is expired"))

    with pytest.raises(KeyAccessError, match=r"token is expired; .*renew them"):
        open_key(double.add("ECC_NIST_P256"))


@pytest.mark.usefixtures("no_credentials")
def test_no_credentials_anywhere_is_reported_with_where_they_may_come_from(
    double: KmsDouble, open_key: Open
) -> None:
    with pytest.raises(KeyAccessError) as caught:
        open_key(double.add("ECC_NIST_P256"))

    assert "Unable to locate credentials" in str(caught.value)
    assert "a role of its instance, container or web identity" in str(caught.value)
    assert double.calls == []


@pytest.mark.usefixtures("no_credentials")
def test_credential_process_that_fails_is_reported(
    double: KmsDouble, open_key: Open, aws_config: Callable[[str], None]
) -> None:
    aws_config("[profile ops]\ncredential_process = false\n")

    with pytest.raises(KeyAccessError, match="credentials from custom-process"):
        open_key(double.add("ECC_NIST_P256"), profile="ops")


@pytest.mark.usefixtures("no_credentials")
def test_sso_profile_without_a_sign_in_is_reported_with_the_command(
    double: KmsDouble, open_key: Open, aws_config: Callable[[str], None]
) -> None:
    aws_config(
        "[profile sso]\nsso_session = corp\nsso_account_id = 111122223333\nsso_role_name = dfns\n"
        "[sso-session corp]\nsso_region = eu-west-1\nsso_start_url = https://corp.invalid\n"
    )

    with pytest.raises(KeyAccessError, match="run 'aws sso login'"):
        open_key(double.add("ECC_NIST_P256"), profile="sso")


def test_unknown_profile_is_reported(open_key: Open) -> None:
    with pytest.raises(ConfigurationError, match=r"profile \(nobody\) could not be found"):
        open_key("alias/dfns", profile="nobody")


def test_missing_region_is_reported_with_the_ways_to_say_it(open_key: Open) -> None:
    with pytest.raises(ConfigurationError, match=r"set 'region'.*by its ARN, or set AWS_REGION"):
        open_key("alias/dfns", region=None, endpoint_url=None)


def test_region_that_cannot_be_one_is_reported(open_key: Open) -> None:
    with pytest.raises(ConfigurationError, match=r"'not a region'.*; correct the setting"):
        open_key("alias/dfns", region="not a region", endpoint_url=None)


def test_role_is_assumed_with_session_name_and_external_id_and_signs(
    double: KmsDouble, sts: StsDouble, open_key: Open
) -> None:
    key = open_key(
        double.add("ECC_NIST_P256"),
        role_arn=ROLE,
        role_external_id="contract-7",
        role_session_name="payments",
    )

    key.sign(b"message")

    (asked,) = sts.asked
    assert asked["RoleArn"] == ROLE
    assert asked["ExternalId"] == "contract-7"
    assert asked["RoleSessionName"] == "payments"
    assert sts.requests[0].access_key_id == "test"
    assert {request.access_key_id for request in double.http.requests} == {"role-1"}


@pytest.mark.usefixtures("uncollected")
def test_connection_that_a_role_was_refused_over_is_closed_at_once(
    double: KmsDouble, sts: StsDouble, open_key: Open
) -> None:
    sts.denial = "not authorized"

    with pytest.raises(KeyAccessError):
        open_key(double.add("ECC_NIST_P256"), role_arn=ROLE)

    assert sts.asked
    assert sts.has_no_connection_within(10)


def test_role_without_further_settings_is_assumed_under_the_name_of_this_project(
    double: KmsDouble, sts: StsDouble, open_key: Open
) -> None:
    open_key(double.add("ECC_NIST_P256"), role_arn=ROLE)

    assert sts.asked[0]["RoleSessionName"] == "dfns-signers"
    assert "ExternalId" not in sts.asked[0]


def test_role_is_assumed_again_before_it_expires(
    double: KmsDouble, sts: StsDouble, open_key: Open
) -> None:
    sts.minutes = 1.0  # botocore renews what holds for less than ten minutes
    key = open_key(double.add("ECC_NIST_P256"), role_arn=ROLE)

    key.sign(b"message")

    assert len(sts.asked) > 1
    assert signer_of_last_request(double) == f"role-{len(sts.asked)}"


def test_endpoint_of_the_profile_holds_on_for_the_role(
    double: KmsDouble,
    sts: StsDouble,
    open_key: Open,
    aws_config: Callable[[str], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("AWS_ENDPOINT_URL")
    aws_config(
        "[profile ops]\nservices = local\naws_access_key_id = a\naws_secret_access_key = x\n"
        f"[services local]\nkms =\n  endpoint_url = {double.url}\n"
    )

    open_key(double.add("ECC_NIST_P256"), profile="ops", role_arn=ROLE, endpoint_url=None)

    assert sts.requests[0].access_key_id == "a"
    assert signer_of_last_request(double) == "role-1"


def test_role_that_may_not_be_assumed_is_reported_with_the_action(
    double: KmsDouble, sts: StsDouble, open_key: Open
) -> None:
    sts.denial = f"User: arn:aws:iam::1:user/u is not authorized to assume {ROLE}"

    with pytest.raises(KeyAccessError) as caught:
        open_key(double.add("ECC_NIST_P256"), role_arn=ROLE)

    assert sts.denial in str(caught.value)
    assert "allow sts:AssumeRole to these credentials" in str(caught.value)


@pytest.mark.usefixtures("no_credentials")
def test_role_without_credentials_to_assume_it_is_reported(open_key: Open) -> None:
    with pytest.raises(KeyAccessError, match="cannot set up AWS KMS: Unable to locate"):
        open_key("alias/dfns", role_arn=ROLE)


def test_injected_session_says_credentials_and_region(double: KmsDouble) -> None:
    arn = double.add("ECC_NIST_P256", alias="alias/dfns")
    session = boto3.Session("from-session", "secret", region_name=REGION)
    client = kms_client(AwsKmsConnection(endpoint_url=double.url), session=session)

    with AwsKmsKey("alias/dfns", client=client, owns_client=True) as key:
        assert key.reference == arn

    assert signer_of_last_request(double) == "from-session"


def test_injected_session_says_who_assumes_the_role_and_in_which_region(
    double: KmsDouble, sts: StsDouble
) -> None:
    double.add("ECC_NIST_P256", alias="alias/dfns")
    session = boto3.Session("from-session", "secret", region_name=REGION)
    connection = AwsKmsConnection(endpoint_url=double.url, role_arn=ROLE)

    with AwsKmsKey("alias/dfns", client=kms_client(connection, session=session), owns_client=True):
        pass

    assert sts.requests[0].access_key_id == "from-session"
    assert signer_of_last_request(double) == "role-1"


def test_name_of_a_key_in_code_is_checked_as_in_the_configuration() -> None:
    client = boto3.client("kms", region_name=REGION)

    with pytest.raises(ConfigurationError, match=r"'dfns' names no key .* write alias/dfns"):
        AwsKmsKey("dfns", client=client)

    client.close()
