"""What is found on the way to a key that signs: who asks, the clock, what is permitted."""

from __future__ import annotations

import time
from email.utils import formatdate

import pytest

from dfns_signers.backends.diagnosis import Severity
from tests.core.keys import is_signature
from tests.plugins.aws_kms.diagnoses import checks, failure, found, of_double
from tests.plugins.aws_kms.kms_double import REGION, Fault, KmsDouble, raw, refuse
from tests.plugins.aws_kms.stores import Store
from tests.plugins.aws_kms.sts_double import ROLE, StsDouble

DENIED = refuse("AccessDeniedException", "User: arn:aws:iam::1:user/u is not authorized")


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


def test_server_of_this_machine_is_asked_itself_who_the_caller_is(
    double: KmsDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_ENDPOINT_URL")

    of_double(double, double.add("ECC_NIST_P256"))

    assert [request.service for request in double.http.requests] == ["kms", "sts", "kms", "kms"]


def test_caller_is_that_of_the_role_that_is_assumed(double: KmsDouble, sts: StsDouble) -> None:
    findings = of_double(double, double.add("ECC_NIST_P256"), role_arn=ROLE)

    assert findings[1].message.endswith("answers to arn:aws:iam::111122223333:user/role-1")
    assert [asked["Action"] for asked in sts.asked] == ["AssumeRole", "GetCallerIdentity"]


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


def test_what_a_server_without_dry_runs_signs_is_no_client_data(store: Store) -> None:
    from dfns_signers_aws_kms.opening import PROBE  # noqa: PLC0415

    assert not PROBE.lstrip().startswith(b"{")
    with store.opened(store.arn("ECC_NIST_P256")) as key:
        assert is_signature(key.public_key, PROBE, key.sign(PROBE))
