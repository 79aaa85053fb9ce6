"""Where credentials are sent: by https, or past any proxy to this machine."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import boto3
import pytest

from dfns_signers.errors import ConfigurationError, KeyStoreUnavailableError
from dfns_signers_aws_kms.client import kms_client
from dfns_signers_aws_kms.key import AwsKmsKey
from dfns_signers_aws_kms.options import AwsKmsConnection
from dfns_signers_aws_kms.safe_client import SafeSession
from tests.plugins.aws_kms.http_double import HttpDouble, Reply
from tests.plugins.aws_kms.kms_double import REGION, KmsDouble
from tests.plugins.aws_kms.sts_double import ROLE, StsDouble

Open = Callable[..., AwsKmsKey]

PROFILE_OF_A_ROLE = (
    f"[profile ops]\nregion = {REGION}\nrole_arn = {ROLE}\ncredential_source = Environment\n"
)
REMOTE = "http://elsewhere.invalid"


@pytest.fixture
def proxy(monkeypatch: pytest.MonkeyPatch) -> Iterator[HttpDouble]:
    """The proxy of the environment, for every host and scheme."""
    with HttpDouble(lambda _: Reply(500, b"{}")) as server:
        for name in ("NO_PROXY", "no_proxy"):
            monkeypatch.delenv(name, raising=False)
        for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy"):
            monkeypatch.setenv(name, server.url)
        yield server


@pytest.mark.usefixtures("no_credentials")
def test_web_identity_token_is_not_sent_by_http_to_another_machine(
    double: KmsDouble, open_key: Open, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    token = tmp_path / "token"
    token.write_text("token", encoding="utf-8")
    monkeypatch.setenv("AWS_WEB_IDENTITY_TOKEN_FILE", str(token))
    monkeypatch.setenv("AWS_ROLE_ARN", ROLE)
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", REMOTE)

    with pytest.raises(ConfigurationError, match=rf"AWS_ENDPOINT_URL_STS.* {REMOTE} .*use https"):
        open_key(double.add("ECC_NIST_P256"))


def test_profile_assumes_no_role_by_http_to_another_machine(
    double: KmsDouble,
    open_key: Open,
    aws_config: Callable[[str], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    aws_config(PROFILE_OF_A_ROLE)
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", REMOTE)

    with pytest.raises(ConfigurationError, match=rf"AWS_ENDPOINT_URL_STS.* {REMOTE} .*use https"):
        open_key(double.add("ECC_NIST_P256"), profile="ops")


@pytest.mark.parametrize("service", ["sts", "sso", "sso-oidc", "kms"])
def test_session_makes_no_client_with_http_to_another_machine(
    monkeypatch: pytest.MonkeyPatch, service: str
) -> None:
    variable = f"AWS_ENDPOINT_URL_{service.upper().replace('-', '_')}"
    monkeypatch.setenv(variable, REMOTE)

    with pytest.raises(ConfigurationError, match=rf"\({variable}, .* {REMOTE} .*use https"):
        SafeSession().create_client(service, region_name=REGION)


@pytest.mark.parametrize("with_role", [False, True])
def test_injected_session_leads_to_no_http_to_another_machine(
    sts: StsDouble, monkeypatch: pytest.MonkeyPatch, with_role: bool
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_KMS", REMOTE)
    connection = AwsKmsConnection(region=REGION, role_arn=ROLE if with_role else None)

    with pytest.raises(ConfigurationError, match=rf"AWS_ENDPOINT_URL_KMS.* {REMOTE} .*use https"):
        kms_client(connection, session=boto3.Session())

    assert sts.asked == []


def test_injected_session_assumes_no_role_by_http_to_another_machine(
    double: KmsDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", REMOTE)
    connection = AwsKmsConnection(region=REGION, endpoint_url=double.url, role_arn=ROLE)
    key_id = double.add("ECC_NIST_P256")

    with pytest.raises(ConfigurationError, match=rf"AWS_ENDPOINT_URL_STS.* {REMOTE} .*use https"):
        AwsKmsKey(key_id, client=kms_client(connection, session=boto3.Session()), owns_client=True)


def test_http_to_this_machine_goes_past_the_proxy(
    double: KmsDouble, open_key: Open, proxy: HttpDouble
) -> None:
    open_key(double.add("ECC_NIST_P256")).sign(b"message")

    assert proxy.connections == 0


def test_role_of_the_options_is_assumed_past_the_proxy_on_this_machine(
    double: KmsDouble, sts: StsDouble, open_key: Open, proxy: HttpDouble
) -> None:
    open_key(double.add("ECC_NIST_P256"), role_arn=ROLE)

    assert sts.asked
    assert proxy.connections == 0


def test_role_of_the_profile_is_assumed_past_the_proxy_on_this_machine(
    double: KmsDouble,
    sts: StsDouble,
    open_key: Open,
    proxy: HttpDouble,
    aws_config: Callable[[str], None],
) -> None:
    aws_config(PROFILE_OF_A_ROLE)

    open_key(double.add("ECC_NIST_P256"), profile="ops")

    assert sts.asked
    assert proxy.connections == 0


def test_https_goes_through_the_proxy(open_key: Open, proxy: HttpDouble) -> None:
    with pytest.raises(KeyStoreUnavailableError, match="proxy"):
        open_key("alias/dfns", endpoint_url="https://elsewhere.invalid")

    assert proxy.connections == 1
