"""Sources of credentials that fail, each in its own way, and what is said of them."""

from __future__ import annotations

import datetime
import json
import sys
from collections.abc import Callable
from pathlib import Path

import boto3
import pytest

from dfns_signers.errors import KeyAccessError
from dfns_signers.plugin import explained
from dfns_signers_aws_kms.client import kms_client
from dfns_signers_aws_kms.errors import explain
from dfns_signers_aws_kms.key import AwsKmsKey
from dfns_signers_aws_kms.options import AwsKmsConnection
from tests.plugins.aws_kms.kms_double import KmsDouble
from tests.plugins.aws_kms.sts_double import ROLE, StsDouble
from tests.secrecy import CANARY

Open = Callable[..., AwsKmsKey]


ADVICE = "give this process AWS credentials"


@pytest.mark.parametrize("name", ["AWS_SESSION_TOKEN", "AWS_ACCESS_KEY_ID"])
def test_credential_with_a_line_break_is_reported_and_not_shown(
    double: KmsDouble, open_key: Open, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(name, f"{CANARY}\nmore")

    with pytest.raises(KeyAccessError, match="a credential has a line break") as info:
        open_key(double.add("ECC_NIST_P256"))

    assert CANARY not in str(info.getrepr(chain=True))
    assert info.value.__cause__ is None


@pytest.mark.usefixtures("no_credentials")
@pytest.mark.parametrize(
    "settings",
    [
        {"AWS_WEB_IDENTITY_TOKEN_FILE": "/nonexistent/file", "AWS_ROLE_ARN": ROLE},
        {
            "AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://127.0.0.1:9/x",
            "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": "/nonexistent/file",
        },
    ],
    ids=["web identity", "container"],
)
def test_file_of_a_token_that_is_missing_is_named_with_advice(
    double: KmsDouble,
    open_key: Open,
    monkeypatch: pytest.MonkeyPatch,
    settings: dict[str, str],
) -> None:
    for name, value in settings.items():
        monkeypatch.setenv(name, value)

    with pytest.raises(KeyAccessError, match=f"No such file.*/nonexistent/file.*{ADVICE}"):
        open_key(double.add("ECC_NIST_P256"))


@pytest.mark.usefixtures("no_credentials")
def test_credential_process_that_does_not_exist_is_named_with_advice(
    open_key: Open, aws_config: Callable[[str], None]
) -> None:
    aws_config("[profile ops]\ncredential_process = /nonexistent/command\n")

    with pytest.raises(KeyAccessError, match=f"/nonexistent/command.*{ADVICE}"):
        open_key("alias/dfns", profile="ops")


def test_mfa_code_that_is_asked_for_without_a_terminal_is_reported() -> None:
    with (
        pytest.raises(KeyAccessError, match=rf"open the key x: .* no terminal.*; {ADVICE}"),
        explained("open the key x", provider="AWS", explain=explain),
    ):
        raise EOFError


@pytest.mark.usefixtures("no_credentials")
def test_credential_process_that_prints_no_json_is_reported_without_what_it_printed(
    open_key: Open, aws_config: Callable[[str], None]
) -> None:
    aws_config(f"[profile ops]\ncredential_process = echo {CANARY}\n")

    with pytest.raises(KeyAccessError, match="source of the AWS credentials is unusable") as info:
        open_key("alias/dfns", profile="ops")

    assert "endpoint_url" not in str(info.value)
    assert info.value.__cause__ is None
    assert CANARY not in str(info.value)


@pytest.mark.usefixtures("no_credentials")
def test_host_that_may_give_no_credentials_is_reported(
    open_key: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://example.invalid/x")

    with pytest.raises(KeyAccessError, match=r"unusable: Unsupported host 'example.invalid'"):
        open_key("alias/dfns")


@pytest.fixture
def expiring(tmp_path: Path, aws_config: Callable[[str], None]) -> Path:
    """What a credential process prints: credentials that botocore renews at every request."""
    printed = tmp_path / "printed"
    soon = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(minutes=5)
    credentials = {
        "Version": 1,
        "AccessKeyId": "a",
        "SecretAccessKey": "x",
        "SessionToken": "t",
        "Expiration": soon.isoformat(),
    }
    printed.write_text(json.dumps(credentials), encoding="utf-8")
    program = tmp_path / "program.py"
    program.write_text(f"print(open({str(printed)!r}).read())", encoding="utf-8")
    aws_config(f"[profile ops]\ncredential_process = {sys.executable} {program}\n")
    return printed


@pytest.mark.usefixtures("no_credentials")
def test_credential_process_that_breaks_later_is_reported_when_signing(
    double: KmsDouble, open_key: Open, expiring: Path
) -> None:
    key = open_key(double.add("ECC_NIST_P256"), profile="ops")
    expiring.write_text(CANARY, encoding="utf-8")

    with pytest.raises(KeyAccessError, match=r"sign with the key .* is unusable") as info:
        key.sign(b"message")

    assert info.value.__cause__ is None
    assert CANARY not in str(info.value)


@pytest.mark.parametrize("with_role", [False, True])
def test_settings_of_the_profile_of_an_injected_session_hold_on(
    sts: StsDouble,
    aws_config: Callable[[str], None],
    monkeypatch: pytest.MonkeyPatch,
    with_role: bool,
) -> None:
    monkeypatch.delenv("AWS_ENDPOINT_URL")
    aws_config(
        "[profile ops]\nregion = eu-west-1\nuse_fips_endpoint = true\n"
        "aws_access_key_id = a\naws_secret_access_key = x\n"
    )
    connection = AwsKmsConnection(role_arn=ROLE if with_role else None)

    client = kms_client(connection, session=boto3.Session(profile_name="ops"))
    client.close()

    assert client.meta.endpoint_url == "https://kms-fips.eu-west-1.amazonaws.com"
    assert sts.asked == []
