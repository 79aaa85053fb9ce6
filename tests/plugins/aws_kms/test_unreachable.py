"""Endpoints that cannot be reached, break off or are slow, and what is tried again."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator

import pytest

from dfns_signers.errors import KeyStoreUnavailableError, SigningKeyError
from dfns_signers_aws_kms.key import AwsKmsKey
from dfns_signers_testkit.servers import free_port
from tests.plugins.aws_kms.kms_double import KmsDouble, cut, refuse, wait_for

Open = Callable[..., AwsKmsKey]


def test_nobody_listening_is_told_with_the_endpoint(open_key: Open) -> None:
    endpoint = f"http://127.0.0.1:{free_port()}"

    with pytest.raises(KeyStoreUnavailableError) as caught:
        open_key("alias/dfns", endpoint_url=endpoint)

    assert "cannot open the key alias/dfns" in str(caught.value)
    assert endpoint in str(caught.value)
    assert caught.value.retriable


def test_connection_that_is_cut_is_told_with_the_endpoint(
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
    key = open_key(double.add("ECC_NIST_P256"), read_timeout=0.2)
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
        thread.join()


def test_tls_that_does_not_stand_is_told_and_not_retriable(open_key: Open, plain_port: int) -> None:
    with pytest.raises(SigningKeyError, match=r"TLS certificate|AWS_CA_BUNDLE") as caught:
        open_key("alias/dfns", endpoint_url=f"https://127.0.0.1:{plain_port}")

    assert not caught.value.retriable


def test_throttled_request_is_tried_again_and_the_attempts_are_evidence(
    double: KmsDouble, open_key: Open
) -> None:
    key = open_key(double.add("ECC_NIST_P256"), max_attempts=2)
    double.fail("Sign", refuse("ThrottlingException", "Rate exceeded"))

    assert key.sign_with_evidence(b"message").evidence.attempts == 2


def test_attempts_are_told_when_all_of_them_failed(double: KmsDouble, open_key: Open) -> None:
    key = open_key(double.add("ECC_NIST_P256"), max_attempts=2)
    failures = [refuse("InternalFailure", "oops", 500)] * 2
    double.fail("Sign", *failures)

    with pytest.raises(KeyStoreUnavailableError, match="2 attempts"):
        key.sign(b"message")
