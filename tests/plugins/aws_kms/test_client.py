"""The client: explicit timeouts, retries and pool, one for each key, and only when it is needed."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest

from dfns_signers import load_signer
from dfns_signers.config.assembly import configured_signer
from dfns_signers.config.loading import load_profile
from dfns_signers.discovery import load_backend
from dfns_signers.errors import ConfigurationError
from dfns_signers_aws_kms.backend import AwsKmsBackend
from dfns_signers_aws_kms.client import kms_client
from dfns_signers_aws_kms.key import AwsKmsKey
from dfns_signers_aws_kms.options import AwsConnection
from tests.core.keys import is_signature
from tests.plugins.aws_kms.kms_double import REGION, Fault, KmsDouble
from tests.plugins.aws_kms.stores import Store

Open = Callable[..., AwsKmsKey]


@pytest.fixture
def real_endpoints(monkeypatch: pytest.MonkeyPatch) -> None:
    """For clients that send nothing."""
    monkeypatch.delenv("AWS_ENDPOINT_URL")


def config_of(**options: Any) -> Any:
    client = kms_client(AwsConnection(region=REGION, **options))
    client.close()
    return client.meta.config


def test_timeouts_retries_and_pool_are_explicit() -> None:
    config = config_of()

    assert (config.connect_timeout, config.read_timeout) == (3.0, 10.0)
    assert config.retries == {"mode": "standard", "total_max_attempts": 3}
    assert config.max_pool_connections == 40


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
    client = kms_client(AwsConnection(region=REGION, **options))
    client.close()

    assert client.meta.endpoint_url == endpoint


@pytest.mark.usefixtures("real_endpoints")
def test_fips_switch_of_the_environment_holds_unless_configured(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AWS_USE_FIPS_ENDPOINT", "true")

    for configured, expected in ((None, "kms-fips."), (False, "kms.")):
        client = kms_client(AwsConnection(region=REGION, use_fips_endpoint=configured))
        client.close()
        assert client.meta.endpoint_url.startswith(f"https://{expected}")


@pytest.mark.parametrize("name", ["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_KMS"])
def test_endpoint_of_the_environment_that_would_replace_the_fips_one_is_refused(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(name, "http://user:hidden@vpce-1.kms.eu-west-1.vpce.amazonaws.com")

    with pytest.raises(ConfigurationError, match=r"remove AWS_ENDPOINT_URL, AWS_ENDP") as caught:
        kms_client(AwsConnection(region=REGION, use_fips_endpoint=True))

    assert "vpce-1.kms.eu-west-1" in str(caught.value)
    assert "hidden" not in str(caught.value)


def test_fips_endpoint_that_the_environment_names_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    endpoint = "https://vpce-1.kms-fips.eu-west-1.vpce.amazonaws.com"
    monkeypatch.setenv("AWS_ENDPOINT_URL_KMS", endpoint)

    client = kms_client(AwsConnection(region=REGION, use_fips_endpoint=True))
    client.close()

    assert client.meta.endpoint_url == endpoint


def test_one_client_serves_all_requests_of_a_key_on_one_connection(
    double: KmsDouble, open_key: Open
) -> None:
    key = open_key(double.add("ECC_NIST_P256"))

    for _ in range(3):
        key.sign(b"message")

    assert double.http.connections == 1


def test_closed_key_closes_its_client(double: KmsDouble, monkeypatch: pytest.MonkeyPatch) -> None:
    closed: list[Any] = []

    def client_that_tells(connection: AwsConnection) -> Any:
        client = kms_client(connection)
        original = client.close

        def close() -> None:
            closed.append(client)
            original()

        monkeypatch.setattr(client, "close", close)
        return client

    monkeypatch.setattr("dfns_signers_aws_kms.client.kms_client", client_that_tells)
    backend = AwsKmsBackend()
    settings: dict[str, Any] = {"region": REGION, "endpoint_url": double.url}
    backend.open(backend.options(key_id=double.add("ECC_NIST_P256"), **settings)).close()
    with pytest.raises(Exception, match="NotFoundException"):
        backend.open(backend.options(key_id="alias/nobody", **settings))

    assert len(closed) == 2


def test_as_many_threads_as_connections_sign_at_once_and_each_connection_is_kept(
    double: KmsDouble, open_key: Open
) -> None:
    threads = 6
    key = open_key(double.add("ECC_NIST_P256"), max_connections=threads)
    together = Barrier(threads)

    def meet(carry_out: Any) -> Any:
        together.wait(30)
        return carry_out()

    faults: list[Fault] = [meet] * (3 * threads)
    double.fail("Sign", *faults)
    with ThreadPoolExecutor(threads) as pool:
        signatures = list(pool.map(key.sign, [b"message"] * (3 * threads)))

    assert all(is_signature(key.public_key, b"message", one) for one in signatures)
    assert double.http.connections == threads


def test_key_is_shared_between_threads_on_a_real_server(ministack: Store) -> None:
    messages = [f"message {n}".encode() for n in range(200)]

    with (
        ministack.opened(ministack.arn("ECC_NIST_EDWARDS25519")) as key,
        ThreadPoolExecutor(8) as pool,
    ):
        signatures = list(pool.map(key.sign, messages))

    pairs = zip(messages, signatures, strict=True)
    assert all(is_signature(key.public_key, message, one) for message, one in pairs)


def test_event_loop_goes_on_while_the_key_is_opened_and_while_it_signs(double: KmsDouble) -> None:
    """Each answer of AWS waits until the loop has taken another turn, or the test fails."""
    loops: list[asyncio.AbstractEventLoop] = []

    def after_a_turn_of_the_loop(carry_out: Any) -> Any:
        asyncio.run_coroutine_threadsafe(asyncio.sleep(0), loops[0]).result(5)
        return carry_out()

    arn = double.add("ECC_NIST_P256")
    for operation in ("GetPublicKey", "DescribeKey", "Sign", "Sign"):
        double.fail(operation, after_a_turn_of_the_loop)
    table = {"backend": "aws-kms", "key_id": arn, "endpoint_url": double.url, "max_attempts": 1}
    loaded = load_profile(credential_id="cr-1", signer=table)
    challenge = {
        "challenge": "Y2g",
        "allowCredentials": {"key": [{"id": "cr-1", "type": "public-key"}], "webauthn": []},
    }

    async def sign() -> Any:
        loops.append(asyncio.get_running_loop())
        async with configured_signer(loaded) as signer:
            return await signer.asign(challenge)

    assert asyncio.run(sign())["kind"] == "Key"
    assert len(double.members("Sign")) == 2


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
