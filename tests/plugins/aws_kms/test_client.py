"""The client: timeouts, retries, pool and address, all explicit, and the SDK only when needed."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

from dfns_signers import load_signer
from dfns_signers.discovery import load_backend
from dfns_signers.errors import ConfigurationError
from dfns_signers_aws_kms.client import kms_client
from dfns_signers_aws_kms.key import AwsKmsKey
from dfns_signers_aws_kms.options import AwsKmsConnection
from dfns_signers_aws_kms.plugin import AwsKmsBackend
from tests.plugins.aws_kms.kms_double import REGION, KmsDouble
from tests.plugins.aws_kms.sts_double import ROLE

Open = Callable[..., AwsKmsKey]


@pytest.fixture
def real_endpoints(monkeypatch: pytest.MonkeyPatch) -> None:
    """For clients that send nothing."""
    monkeypatch.delenv("AWS_ENDPOINT_URL")


def config_of(**options: Any) -> Any:
    client = kms_client(AwsKmsConnection(region=REGION, **options))
    client.close()
    return client.meta.config


def test_client_for_use_in_code_repeats_and_has_explicit_timeouts_and_pool() -> None:
    config = config_of()

    assert (config.connect_timeout, config.read_timeout) == (3.0, 10.0)
    assert config.retries == {"mode": "standard", "total_max_attempts": 3}
    assert config.max_pool_connections == 64


def test_timeouts_retries_and_pool_follow_the_options(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_RETRY_MODE", "legacy")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "9")

    config = config_of(connect_timeout=0.5, read_timeout=2, max_attempts=5, max_connections=7)

    assert (config.connect_timeout, config.read_timeout) == (0.5, 2.0)
    assert config.retries == {"mode": "standard", "total_max_attempts": 5}
    assert config.max_pool_connections == 7


@pytest.mark.usefixtures("real_endpoints")
@pytest.mark.parametrize(
    ("options", "endpoint"),
    [
        ({}, "https://kms.eu-west-1.amazonaws.com"),
        ({"use_fips_endpoint": True}, "https://kms-fips.eu-west-1.amazonaws.com"),
        ({"endpoint_url": "https://vpce-1.example"}, "https://vpce-1.example"),
    ],
)
def test_endpoint_is_that_of_the_region_its_fips_one_or_the_one_configured(
    options: dict[str, Any], endpoint: str
) -> None:
    client = kms_client(AwsKmsConnection(region=REGION, **options))
    client.close()

    assert client.meta.endpoint_url == endpoint


@pytest.mark.usefixtures("real_endpoints")
def test_fips_switch_of_the_environment_holds_unless_configured(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AWS_USE_FIPS_ENDPOINT", "true")

    for configured, expected in ((None, "kms-fips."), (False, "kms.")):
        client = kms_client(AwsKmsConnection(region=REGION, use_fips_endpoint=configured))
        client.close()
        assert client.meta.endpoint_url.startswith(f"https://{expected}")


@pytest.mark.parametrize("name", ["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_KMS"])
def test_endpoint_of_the_environment_that_would_replace_the_fips_one_is_refused(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(name, "https://vpce-1.kms.eu-west-1.vpce.amazonaws.com")

    with pytest.raises(ConfigurationError, match=r"remove AWS_ENDPOINT_URL, AWS_ENDP") as caught:
        kms_client(AwsKmsConnection(region=REGION, use_fips_endpoint=True))

    assert "vpce-1.kms.eu-west-1" in str(caught.value)


ADDRESSES = [
    ("http://kms.example.com", "http://kms.example.com would be reached unencrypted"),
    ("http://127.example.org:4566", "http://127.example.org:4566 would be reached unencrypted"),
    ("https://user:hidden@kms.example.com", "without user, password"),
    ("http://user:hidden@not valid", "expected a URL"),
    ("no url", "expected a URL"),
]


@pytest.mark.parametrize("name", ["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_KMS"])
@pytest.mark.parametrize(("address", "said"), ADDRESSES)
def test_address_in_the_environment_obeys_the_rule_of_the_options(
    monkeypatch: pytest.MonkeyPatch, name: str, address: str, said: str
) -> None:
    monkeypatch.setenv(name, address)

    with pytest.raises(ConfigurationError, match=said) as caught:
        kms_client(AwsKmsConnection(region=REGION))

    assert name in str(caught.value)
    assert "hidden" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_address_in_the_aws_profile_obeys_the_rule_of_the_options(
    monkeypatch: pytest.MonkeyPatch, aws_config: Callable[[str], None]
) -> None:
    monkeypatch.delenv("AWS_ENDPOINT_URL")
    aws_config("[profile ops]\nendpoint_url = http://kms.example.com\n")

    with pytest.raises(ConfigurationError, match=r"'endpoint_url' of the profile\): http://kms"):
        kms_client(AwsKmsConnection(region=REGION, profile="ops"))


def test_address_of_sts_obeys_the_rule_of_the_options(
    double: KmsDouble, open_key: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", "http://sts.example.com")

    with pytest.raises(ConfigurationError, match=r"address of AWS STS .*http://sts.example.com"):
        open_key(double.add("ECC_NIST_P256"), role_arn=ROLE)


def test_fips_endpoint_that_the_environment_names_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    endpoint = "https://vpce-1.kms-fips.eu-west-1.vpce.amazonaws.com"
    monkeypatch.setenv("AWS_ENDPOINT_URL_KMS", endpoint)

    client = kms_client(AwsKmsConnection(region=REGION, use_fips_endpoint=True))
    client.close()

    assert client.meta.endpoint_url == endpoint


def test_signer_by_configuration_shows_itself_without_credentials(double: KmsDouble) -> None:
    arn = double.add("ECC_NIST_P256")
    table = {"backend": "aws-kms", "key_id": arn, "endpoint_url": double.url}

    with load_signer(credential_id="cr-1", signer=table) as signer:
        assert arn in repr(signer)
        assert "test" not in repr(signer)


def test_selecting_the_backend_imports_no_sdk_until_a_key_is_opened() -> None:
    program = (
        "import sys; from dfns_signers.discovery import load_backend; load_backend('aws-kms'); "
        "sys.exit(any(name.split('.')[0] in {'boto3', 'botocore'} for name in sys.modules))"
    )

    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_backend_comes_in_through_its_entry_point() -> None:
    assert isinstance(load_backend("aws-kms"), AwsKmsBackend)
