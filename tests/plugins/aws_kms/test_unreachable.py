"""Endpoints that cannot be reached, break off or are slow, and what is tried again."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from dfns_signers.errors import KeyStateError, KeyStoreUnavailableError, SigningKeyError
from dfns_signers.plugin import RequestLimits
from dfns_signers_aws_kms.client import AwsKms, kms_client
from dfns_signers_aws_kms.key import AwsKmsKey
from dfns_signers_aws_kms.options import AwsKmsConnection
from dfns_signers_testkit.servers import free_port
from tests.plugins.aws_kms.http_double import Reply
from tests.plugins.aws_kms.kms_double import (
    REGION,
    Fault,
    KmsDouble,
    answer,
    cut,
    refuse,
    wait_for,
)
from tests.plugins.aws_kms.sts_double import ROLE, StsDouble
from tests.support.clock import Clock

Open = Callable[..., AwsKmsKey]


def test_nobody_listening_is_reported_with_the_endpoint(open_key: Open) -> None:
    endpoint = f"http://127.0.0.1:{free_port()}"

    with pytest.raises(KeyStoreUnavailableError) as caught:
        open_key("alias/dfns", endpoint_url=endpoint)

    assert "cannot open the key alias/dfns" in str(caught.value)
    assert endpoint in str(caught.value)
    assert caught.value.retriable


def test_connection_that_is_cut_is_reported_with_the_endpoint(
    double: KmsDouble, open_key: Open
) -> None:
    key = open_key(double.add("ECC_NIST_P256"))
    double.fail("Sign", cut)

    with pytest.raises(KeyStoreUnavailableError) as caught:
        key.sign(b"message")

    assert double.url in str(caught.value)
    assert "check network, proxy" in str(caught.value)


def test_answer_that_does_not_come_is_given_up_with_the_endpoint(
    double: KmsDouble, open_key: Open
) -> None:
    released = threading.Event()
    key = open_key(double.add("ECC_NIST_P256"), read_timeout=1.0)
    double.fail("Sign", wait_for(released))

    with pytest.raises(KeyStoreUnavailableError, match=r"[Rr]ead timeout") as caught:
        key.sign(b"message")

    released.set()
    assert double.url in str(caught.value)


@pytest.fixture
def plain_port() -> Iterator[int]:
    """A port where something listens that speaks no TLS: it closes every connection."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def turn_away() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
                connection.close()

        thread = threading.Thread(target=turn_away)
        thread.start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)
        thread.join(10)


def test_tls_that_does_not_stand_is_reported_and_not_retriable(
    open_key: Open, plain_port: int
) -> None:
    with pytest.raises(SigningKeyError, match=r"TLS certificate|AWS_CA_BUNDLE") as caught:
        open_key("alias/dfns", endpoint_url=f"https://127.0.0.1:{plain_port}")

    assert not caught.value.retriable


def test_throttled_request_is_tried_again_and_the_attempts_are_evidence(
    double: KmsDouble, open_key: Open
) -> None:
    key = open_key(double.add("ECC_NIST_P256"), max_attempts=2)
    double.fail("Sign", refuse("ThrottlingException", "Rate exceeded"))

    assert key.sign_with_evidence(b"message").evidence.attempts == 2


@pytest.mark.parametrize(
    "fault",
    [
        cut,
        refuse("InternalFailure", "oops", 500),
        refuse("RequestTimeout", "slow"),
        refuse("ThrottlingException", "Rate exceeded"),
        answer(b"[1]"),
    ],
    ids=["cut", "500", "timeout", "throttled", "unreadable"],
)
def test_request_is_sent_as_often_as_configured_and_the_error_says_how_often(
    double: KmsDouble, open_key: Open, fault: Fault
) -> None:
    key = open_key(double.add("ECC_NIST_P256"), max_attempts=2)
    before = len(double.members("Sign"))
    double.fail("Sign", *[fault] * 3)

    with pytest.raises(KeyStoreUnavailableError, match=r"attempt 2 of 2\)$"):
        key.sign(b"message")

    assert len(double.members("Sign")) - before == 2


def test_refusal_is_not_repeated(double: KmsDouble, open_key: Open) -> None:
    key = open_key(double.add("ECC_NIST_P256"), max_attempts=2)
    before = len(double.members("Sign"))
    double.fail("Sign", refuse("DisabledException", "disabled"))

    with pytest.raises(KeyStateError, match=r"attempt 1 of 2\)$"):
        key.sign(b"message")

    assert len(double.members("Sign")) - before == 1


def test_no_attempt_begins_after_the_time_for_the_operation(double: KmsDouble) -> None:
    clock = Clock()
    limits = RequestLimits(max_attempts=9, timeout=5)
    client = kms_client(AwsKmsConnection(region=REGION, endpoint_url=double.url), repeats=False)
    kms = AwsKms(client, limits, sleep=clock.sleep, clock=clock)

    def late(_: Callable[[], Reply]) -> None:
        clock.sleep(5)

    double.fail("DescribeKey", *[late] * 9)

    with pytest.raises(KeyStoreUnavailableError, match=r"attempt 1 of 9\)$"):
        kms.describe("look", double.add("ECC_NIST_P256"), unless=())

    client.close()
    assert len(double.members("DescribeKey")) == 1


def test_client_of_the_callers_own_repeats_by_itself_and_its_attempts_are_evidence(
    double: KmsDouble,
) -> None:
    connection = AwsKmsConnection(region=REGION, endpoint_url=double.url, max_attempts=2)
    key = AwsKmsKey(double.add("ECC_NIST_P256"), client=kms_client(connection), owns_client=True)
    double.fail("Sign", refuse("ThrottlingException", "Rate exceeded"))

    with key:
        assert key.sign_with_evidence(b"message").evidence.attempts == 2
        double.fail("Sign", *[refuse("InternalFailure", "oops", 500)] * 2)
        before = len(double.members("Sign"))
        with pytest.raises(KeyStoreUnavailableError):
            key.sign(b"message")

    assert len(double.members("Sign")) - before == 2


@pytest.mark.parametrize("way", ["role_arn", "web identity"])
def test_sts_that_fails_is_asked_as_often_as_configured(
    double: KmsDouble,
    sts: StsDouble,
    open_key: Open,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    way: str,
) -> None:
    options = {"role_arn": ROLE} if way == "role_arn" else {}
    if way == "web identity":
        token = tmp_path / "token"
        token.write_text("token", encoding="utf-8")
        monkeypatch.delenv("AWS_ACCESS_KEY_ID")
        monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
        monkeypatch.setenv("AWS_WEB_IDENTITY_TOKEN_FILE", str(token))
        monkeypatch.setenv("AWS_ROLE_ARN", ROLE)
    sts.denial, sts.denial_status = "down", 503

    with pytest.raises(KeyStoreUnavailableError, match=r"attempt 2 of 2\)$"):
        open_key(double.add("ECC_NIST_P256"), max_attempts=2, **options)

    assert len(sts.asked) == 2
