"""Requests have one form: what two readers could understand in two ways is refused."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import NamedTuple

import pytest

from tests.gateway.requests.raw_requests import BODY, Connection, answer_to, chunked, read, request
from tests.gateway.running import LISTEN, PAYMENTS, RunningGateway, running_gateway


class Refused(NamedTuple):
    """A request that is refused, and how."""

    status: int
    check: str
    raw: bytes


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningGateway]:
    with running_gateway(tmp_path_factory.mktemp("refused"), LISTEN + PAYMENTS) as running:
        yield running


CHUNK = b"%x" % len(BODY)

# Of paths and queries: the status is always 400, and the check "target".
TARGETS = {
    "dot segment": b"/wallets/../keys",
    "single dot segment": b"/wallets/./wa-1",
    "dot segment at the end": b"/wallets/..",
    "encoded dot segment": b"/wallets/%2e%2e/keys",
    "twice encoded dot segment": b"/wallets/%252e%252e/keys",
    "encoded slash": b"/wallets/wa-1%2Ftransfers",
    "encoded backslash": b"/wallets/wa-1%5Ctransfers",
    "encoded letter": b"/w%61llets",
    "encoded question mark": b"/wallets%3Fa=1",
    "encoded NUL": b"/wallets/wa-1%00",
    "overlong encoding of a dot": b"/wallets/%c0%ae%c0%ae/keys",
    "percent sign alone": b"/wallets/wa%",
    "backslash": b"/wallets\\wa-1",
    "path parameter": b"/wallets;v=1",
    "path parameter within": b"/wallets;/wa-1",
    "empty segment": b"/wallets//wa-1",
    "empty segment at the beginning": b"//wallets",
    "trailing slash": b"/wallets/",
    "root": b"/",
    "colon": b"/wallets/wa:1",
    "at sign": b"/wallets/@evil.example",
    "fragment": b"/wallets#keys",
    "fragment in the query": b"/wallets?limit=1#keys",
    "plus": b"/wallets/wa+1",
    "tilde of a home": b"~/wallets",
    "braces": b"/wallets/{walletId}",
    "absolute form": b"http://HOST/wallets",
    "absolute form of another host": b"http://evil.example/wallets",
    "absolute form of https": b"https://api.dfns.io/wallets",
    "scheme-relative": b"//evil.example/wallets",
    "authority": b"evil.example:443",
    "user information": b"/@evil.example/wallets",
    "asterisk": b"*",
    "no slash": b"wallets",
    "empty query": b"/wallets?",
}

REFUSED = {
    # Host: rebinding, and hosts as destinations
    "foreign host": Refused(421, "host", read(b"/wallets", host=b"evil.example")),
    "host of the API": Refused(421, "host", read(b"/wallets", host=b"api.dfns.io")),
    "host without its port": Refused(421, "host", read(b"/wallets", host=b"127.0.0.1")),
    "host with a dot behind it": Refused(421, "host", read(b"/wallets", host=b"HOST.")),
    "empty host": Refused(421, "host", read(b"/wallets", host=b"")),
    "host missing in HTTP/1.0": Refused(
        400, "host", read(b"/wallets", host=None, version=b"HTTP/1.0")
    ),
    "host missing": Refused(400, "http", read(b"/wallets", host=None)),
    "two hosts": Refused(400, "http", read(b"/wallets", headers=[b"Host: evil.example"])),
    # Browsers
    "origin": Refused(403, "browser", request(headers=[b"Origin: https://evil.example"])),
    "null origin": Refused(403, "browser", request(headers=[b"Origin: null"])),
    "cookie": Refused(403, "browser", request(headers=[b"Cookie: a=1"])),
    "fetch metadata": Refused(403, "browser", request(headers=[b"Sec-Fetch-Site: same-origin"])),
    "form": Refused(
        415, "content-type", request(content_type=b"application/x-www-form-urlencoded")
    ),
    "form without a body": Refused(
        415, "content-type", request(content_type=b"application/x-www-form-urlencoded", body=b"")
    ),
    "text": Refused(415, "content-type", request(content_type=b"text/plain")),
    "multipart": Refused(415, "content-type", request(content_type=b"multipart/form-data; a=b")),
    "JSON in Latin-1": Refused(
        415, "content-type", request(content_type=b"application/json; charset=latin-1")
    ),
    "JSON and more": Refused(
        415, "content-type", request(content_type=b"application/json, text/html")
    ),
    "patch of JSON": Refused(415, "content-type", request(content_type=b"application/json-patch")),
    "no type": Refused(415, "content-type", request(content_type=None)),
    # Methods
    **{
        f"method {method.decode()}": Refused(405, "method", request(method))
        for method in (b"OPTIONS", b"TRACE", b"PATCH", b"get", b"Post", b"PROPFIND", b"POST1")
    },
    "CONNECT": Refused(405, "method", request(b"CONNECT", b"evil.example:443", body=b"")),
    "preface of HTTP/2": Refused(400, "http", b"PRI * HTTP/2.0\r\nHost: HOST\r\n\r\nSM\r\n\r\n"),
    "HTTP/0.9": Refused(400, "http", b"GET /wallets\r\n\r\n"),
    "HTTP/3": Refused(400, "http", read(b"/wallets", version=b"HTTP/3.0")),
    "TLS": Refused(400, "http", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n"),
    # Framing
    "length with chunks": Refused(
        400, "headers", request(headers=[b"Transfer-Encoding: chunked"], body=b"0\r\n\r\n")
    ),
    "two lengths": Refused(400, "http", request(headers=[b"Content-Length: 2"])),
    "the same length twice": Refused(
        400, "headers", request(headers=[b"Content-Length: %d" % len(BODY)])
    ),
    "list of lengths": Refused(
        400, "headers", request(headers=[b"Content-Length: 29, 29"], length=False)
    ),
    "length with a sign": Refused(
        400, "http", request(headers=[b"Content-Length: +29"], length=False)
    ),
    "unknown coding": Refused(
        400, "http", request(headers=[b"Transfer-Encoding: xchunked"], length=False)
    ),
    "two codings": Refused(
        400, "http", request(headers=[b"Transfer-Encoding: gzip, chunked"], length=False)
    ),
    "chunk without a size": Refused(400, "http", chunked(b"x", BODY, b"0", b"")),
    "chunk with a bare LF": Refused(400, "http", chunked(CHUNK + b"\n" + BODY, b"0", b"")),
    "bare LF behind the chunks": Refused(400, "http", chunked(CHUNK, BODY, b"0") + b"\n"),
    "trailers": Refused(400, "headers", chunked(CHUNK, BODY, b"0", b"X-Late: 1", b"")),
    "announced trailers": Refused(
        400, "headers", chunked(CHUNK, BODY, b"0", b"", headers=(b"Trailer: X-Late",))
    ),
    "bare LF": Refused(400, "http", request().replace(b"\r\n", b"\n")),
    "bare LF behind a header": Refused(400, "http", request(headers=[b"A: 1\nB: 2"])),
    "bare CR": Refused(400, "http", request(headers=[b"A: 1\rB: 2"])),
    "folded header": Refused(400, "http", request(headers=[b"X-Long: a\r\n b"])),
    "space before the colon": Refused(400, "http", request(headers=[b"X-Odd : 1"])),
    "header that is not ASCII": Refused(400, "http", request(headers=[b"X-Odd: \xe9"])),
    "NUL in a header": Refused(400, "http", request(headers=[b"X-Odd: \x00"])),
    "header without a colon": Refused(400, "http", request(headers=[b"odd"])),
    "header twice": Refused(400, "headers", request(headers=[b"X-Odd: 1", b"x-odd: 1"])),
    "authorization twice": Refused(
        400, "headers", request(headers=[b"Authorization: Bearer other"])
    ),
    "target that is not ASCII": Refused(400, "http", read(b"/wallets/\xc3\xa9")),
    "space in the target": Refused(400, "http", read(b"/wallets ?a=1")),
    "other expectation": Refused(417, "expect", request(headers=[b"Expect: miracle"])),
    # Bodies
    "body of a read": Refused(400, "body", request(b"GET")),
    "no JSON": Refused(400, "body", request(body=b"network=EthereumSepolia")),
    "member twice": Refused(
        400, "body", request(body=b'{"network":"EthereumSepolia","network":"Ethereum"}')
    ),
    "member twice, once escaped": Refused(
        400, "body", request(body=b'{"network":"EthereumSepolia","\\u006eetwork":"Ethereum"}')
    ),
    "nested member twice": Refused(400, "body", request(body=b'{"a":[{"b":1,"b":2}]}')),
    "NaN": Refused(400, "body", request(body=b'{"a":NaN}')),
    "infinity": Refused(400, "body", request(body=b'{"a":1e999}')),
    "comment": Refused(400, "body", request(body=b'{"a":1/**/}')),
    "trailing comma": Refused(400, "body", request(body=b'{"a":1,}')),
    "two values": Refused(400, "body", request(body=b"{}{}")),
    "array": Refused(400, "body", request(body=b"[]")),
    "string": Refused(400, "body", request(body=b'"text"')),
    "lone surrogate": Refused(400, "body", request(body=b'{"a":"\\ud800"}')),
    "deep": Refused(400, "body", request(body=b'{"a":' * 200 + b"1" + b"}" * 200)),
    "very deep": Refused(400, "body", request(body=b'{"a":' * 100_000 + b"1" + b"}" * 100_000)),
    "byte order mark": Refused(400, "body", request(body=b"\xef\xbb\xbf{}")),
    "UTF-16": Refused(400, "body", request(body=json.dumps({"a": 1}).encode("utf-16"))),
    "UTF-16 without a mark": Refused(
        400, "body", request(body=json.dumps({"a": 1}).encode("utf-16-le"))
    ),
    "Latin-1": Refused(400, "body", request(body=b'{"a":"\xe9"}')),
    "huge integer": Refused(400, "body", request(body=b'{"a":' + b"9" * 5000 + b"}")),
    "gzip": Refused(415, "content-encoding", request(headers=[b"Content-Encoding: gzip"])),
    "too large": Refused(413, "body-size", request(body=b'{"a":"' + b"x" * 2**21 + b'"}')),
}


@pytest.mark.parametrize("target", TARGETS.values(), ids=TARGETS.keys())
def test_target_of_another_form_is_refused(gateway: RunningGateway, target: bytes) -> None:
    before = gateway.emulator.requests

    answer = answer_to(gateway.urls[0], read(target))

    assert (answer.status, answer.check) == (400, "target")
    assert gateway.emulator.requests == before


@pytest.mark.parametrize("refused", REFUSED.values(), ids=REFUSED.keys())
def test_request_of_another_form_is_refused(gateway: RunningGateway, refused: Refused) -> None:
    before = gateway.emulator.requests

    answer = answer_to(gateway.urls[0], refused.raw)

    assert (answer.status, answer.check) == (refused.status, refused.check), answer.body
    assert gateway.emulator.requests == before


def test_head_request_is_refused_without_a_body(gateway: RunningGateway) -> None:
    answer = answer_to(gateway.urls[0], request(b"HEAD"), "HEAD")

    assert (answer.status, answer.body) == (405, b"")


def test_head_request_with_a_header_twice_is_refused_without_a_body(
    gateway: RunningGateway,
) -> None:
    answer = answer_to(gateway.urls[0], request(b"HEAD", headers=[b"A: 1", b"a: 2"]), "HEAD")

    assert (answer.status, answer.body, answer.is_last) == (400, b"", True)


def test_request_that_cannot_be_read_behind_a_head_request_is_answered(
    gateway: RunningGateway,
) -> None:
    with Connection(gateway.urls[0]) as connection:
        connection.send(request(b"HEAD", host=connection.host, body=b""))
        assert connection.answer("HEAD").status == 405
        connection.send(b"odd bytes\r\n\r\n")

        assert connection.answer().check == "http"
