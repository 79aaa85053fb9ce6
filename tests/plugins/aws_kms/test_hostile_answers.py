"""Answers that AWS would not give: what leaves is an error of ours, to be read by anybody."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from dfns_signers.algorithms import Algorithm
from dfns_signers.errors import DfnsSignersError, KeyStoreUnavailableError
from dfns_signers_aws_kms.key import AwsKmsKey
from dfns_signers_aws_kms.options import AwsKmsCreate, AwsKmsList, AwsKmsOptions
from dfns_signers_aws_kms.plugin import AwsKmsBackend
from tests.plugins.aws_kms.http_double import JSON, HttpDouble, Raw, Reply, Request
from tests.plugins.aws_kms.kms_double import REGION, KmsDouble, answer
from tests.plugins.aws_kms.sts_double import ROLE
from tests.secrecy import CANARY

# Where a head has two lengths, urllib3 leaves the connection to the collector.
pytestmark = [
    pytest.mark.usefixtures("uncollected"),
    pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning"),
]

Open = Callable[..., AwsKmsKey]
Answer = Reply | Raw

ARN = f"arn:aws:kms:{REGION}:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
SECRET = f"{CANARY}-secret"
TOKEN = f"{CANARY}-session-token"
LONGEST = 2_500

CODES = ["NotFoundException", "com.amazonaws.kms#DisabledException", "a:b", "", TOKEN, "\x1b[31m"]
NAMES = [
    *("__type", "code", "message", "Message", "Error", "KeyId", "SigningAlgorithm", "Signature"),
    *("PublicKey", "KeySpec", "KeyUsage", "SigningAlgorithms", "KeyMetadata", "Keys", "Aliases"),
    *("AliasName", "TargetKeyId", "KeyArn", "Arn", "KeyState", "DeletionDate", "ResponseMetadata"),
]
PLAUSIBLE = [ARN, "ECC_NIST_P256", "SIGN_VERIFY", "ECDSA_SHA_256", ["ECDSA_SHA_256"], "AAAA", TOKEN]

numbers = st.integers(-(10**30), 10**30) | st.floats()
scalars = st.none() | st.booleans() | numbers | st.text(max_size=50) | st.sampled_from(PLAUSIBLE)
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=4)
    ),
    max_leaves=12,
)
members = st.dictionaries(st.sampled_from(NAMES), values | st.sampled_from(CODES), max_size=10)


def nested(depth: int, opening: str, closing: str) -> bytes:
    return (opening * depth + "1" + closing * depth).encode()


def xml(text: str) -> bytes:
    escaped = "".join(c if c.isalnum() else f"&#{ord(c)};" for c in text)
    error = f"<Error><Code>{escaped}</Code><Message>{escaped}</Message></Error>"
    return f"<ErrorResponse>{error}</ErrorResponse>".encode()


depths = st.sampled_from([3, 300, 900, 1_000, 3_000, 20_000])
bodies = st.one_of(
    members.map(lambda found: json.dumps(found).encode()),
    values.map(lambda found: json.dumps(found).encode()),
    depths.map(lambda depth: nested(depth, "[", "]")),
    depths.map(lambda depth: nested(depth, '{"message":', "}")),
    depths.map(lambda depth: nested(depth, "<Error>", "</Error>")),
    st.builds(lambda tail: b'{"message": "' + tail + b'"}', st.binary(max_size=200)),
    st.binary(max_size=200),
    st.text(max_size=100).map(xml),
    st.sampled_from(
        [b"", b"null", b"[]", b"<html>down</html>", b"x" * 70_000, b'{"message":"' * 9]
    ),
)
# Without line breaks, after which urllib3 logs the rest of the head.
letters = st.characters(min_codepoint=32, max_codepoint=255, exclude_categories=["Cc"])
latin = st.text(letters, max_size=60)
HEADERS = [
    *("x-amzn-RequestId", "x-amzn-query-error", "x-amzn-errortype", "Location", "Retry-After"),
    *("Date", "Content-Encoding", "Set-Cookie", "x-amz-crc32", "Connection"),
]
ODD = [TOKEN, "gzip", "javascript:@", "//xn--.", "x" * 5_000, "NotFound;Sender"]
headers = st.dictionaries(st.sampled_from(HEADERS), latin | st.sampled_from(ODD), max_size=4)
statuses = st.sampled_from(
    [200, 201, 204, 301, 302, 304, 307, 400, 403, 404, 412, 429, 500, 503, 999]
)
types = st.sampled_from([JSON, "text/html", "text/xml", "application/cbor", ""]) | latin


@pytest.fixture(scope="module", autouse=True)
def _botocore_is_not_heard() -> Iterator[None]:
    """It logs the answers that it could not assume a role with, which here quote the secrets."""
    logger = logging.getLogger("botocore.credentials")
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    yield
    logger.setLevel(level)


replies: st.SearchStrategy[Answer] = st.builds(Reply, statuses, bodies, types, headers) | st.builds(
    lambda head, body: Raw([head, body]),
    st.sampled_from(
        [
            b"",
            b"HTTP/1.1 200 OK\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nContent-Length: 99999\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nContent-Length: 1, 2\r\n\r\n",
            b"HTTP/1.1 400 no\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
            b"HTTP/1.1 103 x\r\n\r\n",
            b"HTTP/1.1 100 Continue\r\n\r\n",
            b"HTTP/9 200\r\n",
            b"SSH-2.0-x\r\n",
        ]
    ),
    bodies,
)

hostile = settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
DEEP = Reply(200, nested(1_000, '{"message":', "}"))
NUMBER = Reply(400, b'{"__type": "DisabledException", "message": 5}')
STATE = Reply(200, b'{"KeyMetadata": {"KeyState": 5}}')
LONG_ID = Reply(200, b"{}", headers={"x-amzn-RequestId": "\xad" + "x" * 5_000})
LONG_NAME = Reply(200, json.dumps({"KeyId": "x" * 5_000}).encode())


@pytest.fixture(autouse=True)
def _secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    monkeypatch.setenv("AWS_SESSION_TOKEN", TOKEN)


@pytest.fixture
def key(_secrets: None, double: KmsDouble, open_key: Open) -> AwsKmsKey:
    return open_key(double.add("ECC_NIST_P256"), read_timeout=2)


@pytest.fixture
def hostile_server() -> Iterator[tuple[HttpDouble, list[Answer]]]:
    """Gives the same answer to every request; a test puts it in."""
    given: list[Answer] = []

    def answer_it(_: Request) -> Answer:
        return given[-1]

    with HttpDouble(answer_it) as server:
        yield server, given


def is_fit(said: object) -> bool:
    text = str(said)
    return text.isprintable() and len(text) <= LONGEST and CANARY not in text


def ends_well(act: Callable[[], object]) -> None:
    """Either there is a result, or an error of ours that may be shown."""
    try:
        act()
    except DfnsSignersError as error:
        failure = error
    else:
        return
    assert is_fit(failure), failure


@hostile
@example(reply=DEEP)
@example(reply=NUMBER)
@example(reply=LONG_ID)
@example(reply=LONG_NAME)
@given(reply=replies)
def test_signing_ends_well(double: KmsDouble, key: AwsKmsKey, reply: Answer) -> None:
    double.fail("Sign", lambda _: reply)

    with pytest.raises(DfnsSignersError) as caught:
        key.sign(b"message")

    assert is_fit(caught.value)


@hostile
@example(reply=DEEP, operation="GetPublicKey")
@example(reply=NUMBER, operation="DescribeKey")
@example(reply=STATE, operation="DescribeKey")
@example(reply=LONG_NAME, operation="GetPublicKey")
@given(reply=replies, operation=st.sampled_from(["GetPublicKey", "DescribeKey", "Sign"]))
def test_opening_ends_well(
    double: KmsDouble, open_key: Open, key: AwsKmsKey, reply: Answer, operation: str
) -> None:
    double.faults.clear()
    double.fail(operation, lambda _: reply)

    ends_well(lambda: open_key(key.reference, read_timeout=2).close())


@hostile
@example(reply=DEEP)
@example(reply=NUMBER)
@given(reply=replies)
def test_opening_where_a_stranger_answers_everything_ends_well(
    hostile_server: tuple[HttpDouble, list[Answer]], reply: Answer
) -> None:
    server, given = hostile_server
    given.append(reply)
    options = AwsKmsOptions(key_id=ARN, endpoint_url=server.url, max_attempts=1, read_timeout=2)

    with pytest.raises(DfnsSignersError) as caught:
        AwsKmsBackend().open(options)

    assert is_fit(caught.value)


@hostile
@example(reply=DEEP)
@example(reply=NUMBER)
@given(reply=replies)
def test_assuming_a_role_ends_well(
    hostile_server: tuple[HttpDouble, list[Answer]],
    double: KmsDouble,
    open_key: Open,
    monkeypatch: pytest.MonkeyPatch,
    reply: Answer,
) -> None:
    server, given = hostile_server
    given.append(reply)
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", server.url)

    with pytest.raises(DfnsSignersError) as caught:
        open_key(ARN, role_arn=ROLE, read_timeout=2)

    assert double.calls == []
    assert is_fit(caught.value)


@hostile
@example(reply=Reply(200, b'{"Keys": [5], "Aliases": [{"AliasName": 5, "TargetKeyId": {}}]}'))
@given(reply=replies)
def test_managing_keys_ends_well(
    hostile_server: tuple[HttpDouble, list[Answer]], reply: Answer
) -> None:
    server, given = hostile_server
    given.append(reply)
    where: dict[str, Any] = {"region": REGION, "endpoint_url": server.url, "max_attempts": 1}

    ends_well(lambda: list(AwsKmsBackend().list_keys(AwsKmsList(**where, read_timeout=2))))
    options = AwsKmsCreate(**where, read_timeout=2, alias="alias/new")
    ends_well(lambda: AwsKmsBackend().create(Algorithm.ES256, options))
    ends_well(lambda: AwsKmsBackend().find(Algorithm.ES256, options))
    ends_well(lambda: AwsKmsBackend().create_next(AwsKmsOptions(key_id=ARN, **where)))


@hostile
@example(
    reply=Reply(200, json.dumps({"KeyMetadata": {"Arn": ARN, "KeySpec": 5}}).encode()),
    operation="DescribeKey",
)
@given(reply=replies, operation=st.sampled_from(["GetPublicKey", "DescribeKey", "Sign"]))
def test_diagnosis_ends_with_findings_that_may_be_shown(
    double: KmsDouble, key: AwsKmsKey, reply: Answer, operation: str
) -> None:
    double.faults.clear()
    double.fail(operation, lambda _: reply)
    where: dict[str, Any] = {"endpoint_url": double.url, "max_attempts": 1, "read_timeout": 2}

    found = list(AwsKmsBackend().diagnose(AwsKmsOptions(key_id=key.reference, **where)))

    assert found
    assert all(is_fit(f"{finding.message}{finding.remedy}") for finding in found)


@pytest.mark.parametrize("reply", [DEEP, NUMBER], ids=["nested too deep", "message is a number"])
def test_answer_that_cannot_be_read_is_no_fault_of_the_backend(
    double: KmsDouble, key: AwsKmsKey, reply: Reply
) -> None:
    double.fail("Sign", answer(reply.body, reply.status))

    with pytest.raises(DfnsSignersError) as caught:
        key.sign(b"message")

    assert "report it to the author" not in str(caught.value)


def test_answer_nested_too_deep_is_that_of_something_else_than_aws(
    double: KmsDouble, key: AwsKmsKey
) -> None:
    double.fail("Sign", answer(DEEP.body))

    with pytest.raises(KeyStoreUnavailableError, match=r"not what AWS sends \(it is nested too"):
        key.sign(b"message")
