"""What is found on the way to a key, and what is advised."""

from __future__ import annotations

import time
from email.utils import formatdate
from typing import Any

import pytest

from dfns_signers.backends.diagnosis import Finding, Severity
from dfns_signers_aws_kms.options import AwsKmsOptions
from dfns_signers_aws_kms.plugin import AwsKmsBackend
from dfns_signers_testkit.servers import free_port
from tests.core.keys import is_signature
from tests.plugins.aws_kms.kms_double import REGION, Fault, KmsDouble, answer, raw, refuse
from tests.plugins.aws_kms.stores import Store
from tests.plugins.aws_kms.sts_double import ROLE, StsDouble

DENIED = refuse("AccessDeniedException", "User: arn:aws:iam::1:user/u is not authorized")
BACKEND = AwsKmsBackend()


def found(options: AwsKmsOptions) -> list[Finding]:
    return list(BACKEND.diagnose(options))


def of_double(double: KmsDouble, key_id: str, **options: Any) -> list[Finding]:
    settings = {"region": REGION, "endpoint_url": double.url, "max_attempts": 1, **options}
    return found(AwsKmsOptions(key_id=key_id, **settings))


def checks(findings: list[Finding]) -> list[tuple[str, int]]:
    return [(finding.check, finding.severity) for finding in findings]


def failure(findings: list[Finding]) -> tuple[str, str, str]:
    """Check, message and remedy of the only failure, which is the last finding."""
    *before, last = findings
    assert last.severity is Severity.FAILURE
    assert all(finding.severity is not Severity.FAILURE for finding in before)
    return last.check, last.message, last.remedy


def test_key_that_can_sign_is_in_order_at_each_step(double: KmsDouble, sts: StsDouble) -> None:
    arn = double.add("ECC_NIST_P256", alias="alias/dfns")

    findings = of_double(double, "alias/dfns")

    assert [(finding.check, finding.message) for finding in findings] == [
        ("clock", "the clock of this machine is that of AWS KMS"),
        (
            "key store",
            f"AWS KMS in {REGION} ({double.url}) answers to arn:aws:iam::111122223333:user/test",
        ),
        ("key state", f"the key {arn} is Enabled"),
        ("permissions", "kms:DescribeKey is permitted"),
        ("permissions", "kms:GetPublicKey is permitted"),
        ("permissions", "kms:Sign is permitted (a dry run, nothing was signed)"),
    ]
    assert {finding.severity for finding in findings} == {Severity.OK}
    assert {finding.remedy for finding in findings} == {""}
    assert all(finding.seconds is not None for finding in findings[1:])
    assert [request.region for request in sts.requests] == [REGION]


def test_nothing_is_changed_or_signed(double: KmsDouble) -> None:
    of_double(double, double.add("ECC_NIST_P256"))

    assert [operation for operation, _ in double.calls] == ["DescribeKey", "GetPublicKey", "Sign"]
    assert double.members("Sign")[0]["DryRun"] is True


def test_key_of_a_real_server_is_in_order_and_its_lack_of_dry_runs_is_said(store: Store) -> None:
    findings = found(store.options(store.arn("ECC_NIST_P256")))

    assert {finding.severity for finding in findings} == {Severity.OK}
    assert findings[-1].message == (
        "kms:Sign is permitted (this server knows no dry runs, and signed what is not a challenge)"
    )


def test_real_server_without_aws_sts_is_in_order_where_no_address_of_it_is_configured(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_ENDPOINT_URL")

    findings = found(store.options(store.arn("ECC_NIST_P256")))

    (reached,) = (finding for finding in findings if finding.check == "key store")
    assert reached.severity is Severity.OK
    assert store.url in reached.message


def test_caller_is_that_of_the_role_that_is_assumed(double: KmsDouble, sts: StsDouble) -> None:
    findings = of_double(double, double.add("ECC_NIST_P256"), role_arn=ROLE)

    assert findings[1].message.endswith("answers to arn:aws:iam::111122223333:user/role-1")
    assert [asked["Action"] for asked in sts.asked] == ["AssumeRole", "GetCallerIdentity"]


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


def test_denied_description_is_a_warning_since_signing_works_without_it(double: KmsDouble) -> None:
    double.fail("DescribeKey", DENIED)

    findings = of_double(double, double.add("ECC_NIST_P256"))

    assert checks(findings)[1:] == [
        ("key store", Severity.OK),
        ("permissions", Severity.WARNING),
        ("permissions", Severity.OK),
        ("permissions", Severity.OK),
    ]
    assert "kms:DescribeKey is denied" in findings[2].message
    assert findings[2].remedy == "allow kms:DescribeKey to these credentials"


def test_denied_public_key_does_not_hide_whether_signing_is_permitted(double: KmsDouble) -> None:
    double.fail("GetPublicKey", DENIED)

    *_, denied, signing = of_double(double, double.add("ECC_NIST_P256"))

    assert (denied.check, denied.severity) == ("permissions", Severity.FAILURE)
    assert denied.remedy.startswith("allow kms:GetPublicKey to these credentials")
    assert "kms:Sign is permitted" in signing.message


def test_denied_signing(double: KmsDouble) -> None:
    double.fail("Sign", DENIED)

    check, message, remedy = failure(of_double(double, double.add("ECC_NIST_P256")))

    assert (check, "not authorized" in message) == ("permissions", True)
    assert remedy.startswith("allow kms:Sign to these credentials")


def test_key_of_which_nothing_may_be_read_ends_with_the_public_key(double: KmsDouble) -> None:
    double.fail("DescribeKey", DENIED)
    double.fail("GetPublicKey", DENIED)

    check, _, remedy = failure(of_double(double, double.add("ECC_NIST_P256")))

    assert check == "permissions"
    assert remedy.startswith("allow kms:GetPublicKey")
    assert double.members("Sign") == []


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


def at(seconds: float) -> Fault:
    """AWS refuses a request for its time, and gives its own."""
    body = b'{"__type": "InvalidSignatureException", "message": "Signature expired"}'
    date = formatdate(time.time() + seconds, usegmt=True).encode()
    return raw(
        b"HTTP/1.1 400 Bad Request\r\nContent-Type: application/x-amz-json-1.1\r\n"
        b"Date: " + date + b"\r\nContent-Length: %d\r\n\r\n" % len(body) + body
    )


@pytest.mark.parametrize(
    ("of_aws", "severity", "said"),
    [
        (7200, Severity.FAILURE, "behind that of AWS KMS"),
        (-7200, Severity.FAILURE, "ahead of that of AWS KMS"),
        (-150, Severity.WARNING, "ahead of that of AWS KMS"),
    ],
)
def test_clock_that_is_wrong_is_found_by_the_date_of_an_answer(
    double: KmsDouble, of_aws: float, severity: Severity, said: str
) -> None:
    double.fail("DescribeKey", at(of_aws))

    clock, refused = of_double(double, double.add("ECC_NIST_P256"))

    assert (clock.check, clock.severity) == ("clock", severity)
    assert said in clock.message
    assert clock.remedy == "set the clock, and have it kept (NTP)"
    assert (refused.check, refused.severity) == ("key store", Severity.FAILURE)


@pytest.mark.parametrize("head", [b"Date: yesterday\r\n", b""])
def test_answer_without_a_date_says_nothing_about_the_clock(double: KmsDouble, head: bytes) -> None:
    double.fail("DescribeKey", raw(b"HTTP/1.1 400 Bad Request\r\n" + head + b"\r\n"))

    assert "clock" not in dict(checks(of_double(double, double.add("ECC_NIST_P256"))))


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


def test_what_a_server_without_dry_runs_signs_is_no_client_data(store: Store) -> None:
    from dfns_signers_aws_kms.opening import PROBE  # noqa: PLC0415

    assert not PROBE.lstrip().startswith(b"{")
    with store.opened(store.arn("ECC_NIST_P256")) as key:
        assert is_signature(key.public_key, PROBE, key.sign(PROBE))
