"""Diagnoses of keys, and what is in them."""

from __future__ import annotations

from typing import Any

from dfns_signers.backends.diagnosis import Finding, Severity
from dfns_signers_aws_kms.options import AwsKmsOptions
from dfns_signers_aws_kms.plugin import AwsKmsBackend
from tests.plugins.aws_kms.kms_double import REGION, KmsDouble


def found(options: AwsKmsOptions) -> list[Finding]:
    return list(AwsKmsBackend().diagnose(options))


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
