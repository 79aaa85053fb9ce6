"""What keeps a key from being opened or used, and what is advised."""

from __future__ import annotations

import pytest

from dfns_signers.backends.diagnosis import Severity
from dfns_signers_aws_kms.options import AwsKmsOptions
from dfns_signers_testkit.servers import free_port
from tests.plugins.aws_kms.diagnoses import checks, failure, found, of_double
from tests.plugins.aws_kms.kms_double import REGION, Fault, KmsDouble, answer, refuse
from tests.plugins.aws_kms.stores import Store

DENIED = refuse("AccessDeniedException", "User: arn:aws:iam::1:user/u is not authorized")


@pytest.mark.usefixtures("no_credentials")
def test_missing_credentials(double: KmsDouble) -> None:
    check, message, remedy = failure(of_double(double, double.add("ECC_NIST_P256")))

    assert (check, double.calls) == ("key store", [])
    assert "Unable to locate credentials" in message
    assert remedy.startswith("give this process AWS credentials: a role of its instance")


def test_aws_profile_that_does_not_exist(double: KmsDouble) -> None:
    check, message, remedy = failure(of_double(double, "alias/dfns", profile="nobody"))

    assert check == "key store"
    assert "The config profile (nobody) could not be found" in message
    assert remedy == "correct the setting, or the AWS configuration files"


@pytest.mark.parametrize(
    ("code", "advice"),
    [
        ("ExpiredTokenException", "the credentials have expired: renew them"),
        ("UnrecognizedClientException", "AWS does not know the credentials"),
        ("InvalidSignatureException", "the clock of this machine is wrong"),
    ],
)
def test_credentials_that_aws_refuses(double: KmsDouble, code: str, advice: str) -> None:
    double.fail("DescribeKey", refuse(code, "The security token is …"))

    check, message, remedy = failure(of_double(double, double.add("ECC_NIST_P256")))

    assert check == "key store"
    assert code in message
    assert advice in remedy


def test_region_that_is_not_that_of_the_address(double: KmsDouble) -> None:
    check, message, remedy = failure(of_double(double, "alias/dfns", region="us-east-2"))

    assert check == "key store"
    assert message.startswith(f"AWS KMS in us-east-2 ({double.url}): cannot describe the key")
    assert "'region' is not that of the address" in remedy


def test_alias_that_does_not_exist_in_the_region(double: KmsDouble) -> None:
    findings = of_double(double, "alias/typo")

    assert ("key store", Severity.OK) in checks(findings)
    check, message, remedy = failure(findings)
    assert check == "key state"
    assert "alias/typo' does not exist" in message
    assert remedy.startswith("check key id or alias, account and region")


def test_disabled_key(double: KmsDouble) -> None:
    arn = double.add("ECC_NIST_P256", state="Disabled")

    check, message, remedy = failure(of_double(double, arn))

    assert (check, "is in the state Disabled" in message) == ("key state", True)
    assert remedy.startswith(f"enable it: aws kms enable-key --key-id {arn}")


def test_key_that_is_pending_deletion_has_its_date(double: KmsDouble) -> None:
    arn = double.add("ECC_NIST_P256", state="PendingDeletion")

    check, message, remedy = failure(of_double(double, arn))

    assert check == "key state"
    assert "in the state PendingDeletion (to be deleted on 2027-01-01)" in message
    assert f"aws kms cancel-key-deletion --key-id {arn}" in remedy


@pytest.mark.parametrize("way", ["Disabled", "PendingDeletion"])
def test_key_of_a_real_server_that_is_not_enabled(store: Store, way: str) -> None:
    arn = store.create("ECC_NIST_P256")
    if way == "Disabled":
        store.client.disable_key(KeyId=arn)
    else:
        store.client.schedule_key_deletion(KeyId=arn, PendingWindowInDays=7)

    check, message, _ = failure(found(store.options(arn)))

    assert (check, f"in the state {way}" in message) == ("key state", True)


@pytest.mark.parametrize("state", ["Disabled", "PendingDeletion"])
def test_state_is_found_also_where_it_may_not_be_read(double: KmsDouble, state: str) -> None:
    double.fail("DescribeKey", DENIED, DENIED)

    check, message, _ = failure(of_double(double, double.add("ECC_NIST_P256", state=state)))

    assert (check, "Exception: " in message) == ("key state", True)


@pytest.mark.parametrize(
    ("spec", "usage"), [("ECC_NIST_P384", "SIGN_VERIFY"), ("RSA_2048", "ENCRYPT_DECRYPT")]
)
@pytest.mark.parametrize("denials", [0, 1])
def test_key_that_dfns_does_not_accept(
    double: KmsDouble, spec: str, usage: str, denials: int
) -> None:
    double.fail("DescribeKey", *[DENIED] * denials)

    check, message, remedy = failure(of_double(double, double.add(spec, usage=usage)))

    assert check == "key spec"
    assert f"has the key spec {spec} and the key usage {usage}" in message
    assert remedy.startswith("what works is a key with the key usage SIGN_VERIFY")


def test_address_where_nothing_listens() -> None:
    url = f"http://127.0.0.1:{free_port()}"
    options = AwsKmsOptions(key_id="alias/d", region=REGION, endpoint_url=url, max_attempts=1)

    check, message, remedy = failure(found(options))

    assert (check, url in message) == ("key store", True)
    assert remedy.startswith("check network, proxy, 'region' and 'endpoint_url'")


def test_no_region(double: KmsDouble) -> None:
    check, message, remedy = failure(of_double(double, "alias/dfns", region=None))

    assert (check, "You must specify a region" in message) == ("key store", True)
    assert remedy.startswith("set 'region' beside the key")


@pytest.mark.parametrize(
    ("operation", "fault"),
    [
        ("DescribeKey", answer(b"{}")),
        ("DescribeKey", answer(b'{"KeyMetadata": {"Arn": 1}}')),
        ("DescribeKey", refuse("ThrottlingException", "Rate exceeded")),
        ("GetPublicKey", answer(b"{}")),
        ("GetPublicKey", refuse("ThrottlingException", "Rate exceeded")),
        ("Sign", refuse("ThrottlingException", "Rate exceeded")),
    ],
)
def test_failure_of_any_request_is_a_finding_about_the_key_store(
    double: KmsDouble, operation: str, fault: Fault
) -> None:
    double.fail(operation, fault)

    check, _, _ = failure(of_double(double, double.add("ECC_NIST_P256")))

    assert check == "key store"
