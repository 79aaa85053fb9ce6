"""Real local servers for the whole session, and a strict double for each test."""

from __future__ import annotations

import gc
import logging
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.loaders import create_loader

from dfns_signers_aws_kms.key import AwsKmsKey
from dfns_signers_aws_kms.options import AwsKmsOptions
from dfns_signers_aws_kms.plugin import AwsKmsBackend
from dfns_signers_testkit.aws import LocalKms
from tests.plugins.aws_kms.kms_double import REGION, KmsDouble
from tests.plugins.aws_kms.stores import Store
from tests.plugins.aws_kms.sts_double import StsDouble


@pytest.fixture(autouse=True)
def _credentials(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """What local servers take, and no AWS configuration of this machine."""
    nowhere = tmp_path_factory.getbasetemp() / "no-aws"
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(nowhere / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(nowhere / "credentials"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    # A test that forgets its endpoint gets no further than this machine.
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")


@pytest.fixture(scope="session", autouse=True)
def _quiet_botocore() -> Iterator[None]:
    """As docs/aws-kms.md advises: at DEBUG, botocore logs requests with their session tokens."""
    logger = logging.getLogger("botocore")
    level = logger.level
    logger.setLevel(logging.INFO)
    yield
    logger.setLevel(level)


@pytest.fixture(scope="session", autouse=True)
def _service_models_are_read_once() -> Iterator[None]:
    """Most of the time that a new client takes is for reading botocore's files of JSON."""
    loader = create_loader()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("botocore.session.create_loader", lambda *_: loader)
        yield


@pytest.fixture(scope="module")
def uncollected() -> Iterator[None]:
    """Nothing is closed because it is collected, nor where Hypothesis makes warnings errors."""
    gc.disable()
    yield
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()
    gc.enable()


@pytest.fixture(scope="session")
def localstack(localstack: LocalKms) -> Store:
    return Store(localstack)


@pytest.fixture(scope="session")
def ministack(ministack: LocalKms) -> Store:
    return Store(ministack)


@pytest.fixture(params=["localstack", "ministack"])
def store(request: pytest.FixtureRequest) -> Store:
    """Each of the real servers."""
    found: Store = request.getfixturevalue(request.param)
    return found


@pytest.fixture
def double() -> Iterator[KmsDouble]:
    with KmsDouble() as server:
        yield server


@pytest.fixture
def open_key(double: KmsDouble) -> Iterator[Callable[..., AwsKmsKey]]:
    """Opens keys of the double as the framework does; closes them in the end."""
    opened: list[Any] = []

    def open_it(key_id: str, **options: Any) -> AwsKmsKey:
        settings = {"region": REGION, "endpoint_url": double.url, "max_attempts": 1, **options}
        key = AwsKmsBackend().open(AwsKmsOptions(key_id=key_id, **settings))
        opened.append(key)
        assert isinstance(key, AwsKmsKey)
        return key

    yield open_it
    for key in opened:
        key.close()


@pytest.fixture
def sts(monkeypatch: pytest.MonkeyPatch) -> Iterator[StsDouble]:
    with StsDouble() as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL_STS", server.url)
        yield server


@pytest.fixture
def no_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")


@pytest.fixture
def aws_config(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[str], None]:
    """Writes the AWS configuration file."""

    def write(text: str) -> None:
        file = tmp_path / "aws-config"
        file.write_text(text, encoding="utf-8")
        monkeypatch.setenv("AWS_CONFIG_FILE", str(file))

    return write
