"""No answer of AWS takes more room, or more time, than an operation has."""

from __future__ import annotations

import gzip
import itertools
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import closing

import boto3
import botocore
import pytest
from packaging.version import Version

from dfns_signers.errors import DfnsSignersError, KeyStoreUnavailableError
from dfns_signers_aws_kms.bounded_http import AnswerError
from dfns_signers_aws_kms.client import kms_client
from dfns_signers_aws_kms.key import AwsKmsKey
from dfns_signers_aws_kms.options import AwsKmsConnection
from tests.core.keys import is_signature
from tests.plugins.aws_kms.http_double import Raw, Reply
from tests.plugins.aws_kms.kms_double import REGION, Fault, KmsDouble, answer, raw
from tests.plugins.aws_kms.sts_double import ROLE, StsDouble
from tests.secrecy import CANARY

Open = Callable[..., AwsKmsKey]

BOUND = 30
MIB = 1 << 20
OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/x-amz-json-1.1\r\n"
TOO_LONG = r"the answer is not what AWS sends \(it has more than"


class Endless:
    """Pieces that come until the client has had enough, which it has long before ``most``."""

    def __init__(
        self, head: bytes, piece: bytes, *, pause: float = 0.0, most: int = 1 << 31
    ) -> None:
        self._head, self._piece, self._most = head, piece, most
        self._pause = pause
        self.sent = 0
        self.ended = threading.Event()

    def __iter__(self) -> Iterator[bytes]:
        try:
            yield self._head
            while self.sent < self._most:
                self.sent += len(self._piece)
                yield self._piece
                threading.Event().wait(self._pause)
        finally:
            self.ended.set()

    def fault(self) -> Fault:
        return lambda _: Raw(self)


def padded(length: int) -> Fault:
    """The answer, with a member that nobody asked for, in as many bytes."""

    def pad(carry_out: Callable[[], Reply]) -> Reply:
        members = json.loads(carry_out().body)
        members["Padding"] = "x" * (length - len(json.dumps(members | {"Padding": ""})))
        body = json.dumps(members).encode()
        assert len(body) == length
        return Reply(200, body)

    return pad


def test_answer_of_the_most_bytes_is_read_and_one_byte_more_is_refused(
    double: KmsDouble, open_key: Open
) -> None:
    key = open_key(double.add("ECC_NIST_P256"))
    double.fail("Sign", padded(MIB), padded(MIB + 1))

    assert is_signature(key.public_key, b"message", key.sign(b"message"))
    with pytest.raises(KeyStoreUnavailableError, match=rf"{TOO_LONG} 1,048,576 bytes\)"):
        key.sign(b"message")


@pytest.mark.parametrize(
    "head",
    [b"Content-Length: 2147483648\r\n\r\n", b"\r\n"],
    ids=["of known length", "until the connection ends"],
)
def test_answer_without_end_is_given_up_and_its_connection_closed(
    double: KmsDouble, open_key: Open, head: bytes
) -> None:
    key = open_key(double.add("ECC_NIST_P256"))
    endless = Endless(OK + head, b"x" * 65_536)
    double.fail("Sign", endless.fault())

    with pytest.raises(KeyStoreUnavailableError, match=TOO_LONG):
        key.sign(b"message")

    assert endless.ended.wait(BOUND)
    assert endless.sent < 64 * MIB  # what fits between the sockets, and not two gibibytes


def test_error_is_given_less_room(double: KmsDouble, open_key: Open) -> None:
    key = open_key(double.add("ECC_NIST_P256"))
    body = json.dumps({"__type": "DisabledException", "message": "x" * 65_536}).encode()
    double.fail("Sign", answer(body, 400))

    with pytest.raises(KeyStoreUnavailableError, match=rf"{TOO_LONG} 65,536 bytes\)"):
        key.sign(b"message")


def test_answer_that_is_packed_is_never_unpacked(double: KmsDouble, open_key: Open) -> None:
    key = open_key(double.add("ECC_NIST_P256"))
    body = gzip.compress(json.dumps({"KeyId": "x" * 1000}).encode())
    double.fail("Sign", lambda _: Reply(200, body, headers={"Content-Encoding": "gzip"}))

    with pytest.raises(KeyStoreUnavailableError, match="not what AWS sends"):
        key.sign(b"message")

    assert double.http.requests[-1].headers["accept-encoding"] == "identity"


@pytest.mark.parametrize("of_caller", [False, True])
def test_client_made_from_a_session_has_the_bounds(double: KmsDouble, of_caller: bool) -> None:
    connection = AwsKmsConnection(region=REGION, endpoint_url=double.url)
    session = boto3.Session() if of_caller else None
    arn = double.add("ECC_NIST_P256")
    double.fail("DescribeKey", padded(MIB + 1))

    with (
        closing(kms_client(connection, session=session, repeats=False)) as client,
        pytest.raises(AnswerError, match="more than 1,048,576 bytes"),
    ):
        client.describe_key(KeyId=arn)


def test_session_of_the_callers_own_makes_its_other_clients_as_before(double: KmsDouble) -> None:
    session = boto3.Session()
    connection = AwsKmsConnection(region=REGION, endpoint_url=double.url)
    kms_client(connection, session=session).close()
    arn = double.add("ECC_NIST_P256")
    double.fail("DescribeKey", padded(MIB + 1))

    client = session.client("kms", region_name=REGION, endpoint_url=double.url)

    assert client.describe_key(KeyId=arn)["KeyMetadata"]["Arn"] == arn
    client.close()


def test_answer_of_sts_is_bounded_too(double: KmsDouble, sts: StsDouble, open_key: Open) -> None:
    sts.denial, sts.denial_status = "x" * 70_000, 403

    with pytest.raises(KeyStoreUnavailableError, match=TOO_LONG):
        open_key(double.add("ECC_NIST_P256"), role_arn=ROLE)


@pytest.mark.parametrize(
    "head",
    [b"Content-Length: 100000\r\n\r\n", b"\r\n", b"Transfer-Encoding: chunked\r\n\r\n186A0\r\n"],
    ids=["of known length", "until the connection ends", "in chunks"],
)
def test_answer_that_drips_ends_with_the_time_for_the_operation(
    double: KmsDouble, open_key: Open, head: bytes
) -> None:
    key = open_key(double.add("ECC_NIST_P256"), timeout=1.0, max_attempts=3)
    drip = Endless(OK + head, b" ", pause=0.05, most=2_000)
    double.fail("Sign", drip.fault())

    with pytest.raises(KeyStoreUnavailableError, match=r"[Rr]ead timeout"):
        key.sign(b"message")

    assert drip.ended.wait(BOUND)
    assert drip.sent < 1_000


@pytest.mark.skipif(
    Version(botocore.__version__) < Version("1.44"),
    reason="botocore has no timeout for a single request before 1.44",
)
def test_wait_for_an_answer_ends_with_the_time_for_the_operation(
    double: KmsDouble, open_key: Open
) -> None:
    released = threading.Event()
    key = open_key(double.add("ECC_NIST_P256"), timeout=1.0, read_timeout=BOUND)

    def silent(_: Callable[[], Reply]) -> None:
        released.wait(BOUND)

    double.fail("Sign", silent)
    with pytest.raises(KeyStoreUnavailableError, match=r"[Rr]ead timeout"):
        key.sign(b"message")

    assert not released.is_set()
    released.set()


@pytest.mark.parametrize("status", [103, 204, 304])
def test_answer_without_a_body_is_not_taken_and_what_follows_it_is_no_answer_to_the_next_request(
    double: KmsDouble, open_key: Open, status: int
) -> None:
    key = open_key(double.add("ECC_NIST_P256"))
    late = b'{"message": "an answer to the request before"}'
    length = f"Content-Length: {len(late)}\r\n\r\n".encode()
    double.fail("Sign", raw(f"HTTP/1.1 {status} -\r\n\r\n".encode(), OK + length + late))

    with pytest.raises(KeyStoreUnavailableError, match=rf"AWS sends \(its status is {status}\)"):
        key.sign(b"message")

    assert double.http.has_no_connection_within(BOUND)
    assert is_signature(key.public_key, b"message", key.sign(b"message"))


@pytest.mark.parametrize(
    "rest",
    [b'Content-Length: 100\r\n\r\n{"KeyId": "a', b"Transfer-Encoding: chunked\r\n\r\nzz\r\n"],
    ids=["of known length", "in chunks"],
)
def test_answer_that_is_cut_is_not_believed(double: KmsDouble, open_key: Open, rest: bytes) -> None:
    key = open_key(double.add("ECC_NIST_P256"))
    double.fail("Sign", raw(OK + rest))

    with pytest.raises(KeyStoreUnavailableError, match="Connection was closed"):
        key.sign(b"message")


def test_session_token_that_an_answer_repeats_is_masked(
    double: KmsDouble, open_key: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SESSION_TOKEN", CANARY * 4)
    key = open_key(double.add("ECC_NIST_P256"))

    def repeated(status: int, member: str) -> Fault:
        said = json.dumps({"__type": "OddException", member: f"got {CANARY * 4}"}).encode()
        return lambda _: Reply(status, said, headers={"x-amzn-RequestId": CANARY * 4})

    for status, member in itertools.product((200, 400), ("KeyId", "message")):
        double.fail("Sign", repeated(status, member))
        with pytest.raises(DfnsSignersError) as caught:
            key.sign(b"message")
        assert CANARY not in str(caught.getrepr(chain=True, style="short"))
