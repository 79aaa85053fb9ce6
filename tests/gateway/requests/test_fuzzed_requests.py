"""Whatever bytes come in, only calls that the rules allow go out, and in no other form."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple

import pytest
from hypothesis import HealthCheck, event, example, given, settings
from hypothesis import strategies as st

from tests.core.client.scripted import ScriptedApi
from tests.gateway.requests.raw_requests import Connection, answer_to
from tests.gateway.running import LISTEN, PAYMENTS, TOKEN, configuration_for, served
from tests.support.exchange import Request
from tests.support.fault_proxy import FaultProxy

RULES: Final = (
    LISTEN
    + PAYMENTS
    + """
[[gateway.callers.payments.allow]]
name = "wallet"
call = "GET /wallets/{walletId}"

[[gateway.callers.payments.allow]]
name = "tags"
call = "DELETE /wallets/{walletId}/tags"
escalates = true
members = "any"
"""
)
ALLOWED: Final = re.compile(
    rb"POST /wallets|GET /wallets/[^/?]+(\?.+)?|DELETE /wallets/[^/?]+/tags|PUT /wallets/[^/?]+/x"
)


class Call(NamedTuple):
    """A call in its one form."""

    method: bytes
    target: bytes
    body: bytes


def understood(raw: bytes, host: bytes) -> Call | None:
    """The call that bytes are, by a reader that takes no liberties; None if they are none."""
    head, separator, rest = raw.partition(b"\r\n\r\n")
    line, *lines = head.split(b"\r\n")
    start = re.fullmatch(rb"(GET|POST|PUT|DELETE) (/[!-~]*) HTTP/1\.[01]", line)
    pairs = [
        re.fullmatch(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*(.*?)[ \t]*", one) for one in lines
    ]
    if not (separator and start and all(pairs)) or re.search(rb"[^ -~\t]", b"".join(lines)):
        return None
    fields = [(pair[1].lower(), pair[2]) for pair in pairs if pair]
    headers = dict(fields)
    body = _body(headers, rest)
    if len(headers) != len(fields) or headers.get(b"host") != host or body is None:
        return None
    if body and not _is_object(body):
        return None
    return Call(start[1], start[2], body)


def _body(headers: dict[bytes, bytes], rest: bytes) -> bytes | None:
    if b"transfer-encoding" not in headers:
        length = headers.get(b"content-length", b"0")
        return rest[: int(length)] if length.isdigit() and len(rest) >= int(length) else None
    if b"content-length" in headers or headers[b"transfer-encoding"].lower() != b"chunked":
        return None
    body = b""
    while chunk := re.match(rb"([0-9a-fA-F]{1,6})(;[!-~]*)?[ \t]*\r\n", rest):
        size, start = int(chunk[1], 16), chunk.end()
        if rest[start + size : start + size + 2] != b"\r\n":
            return None
        body += rest[start : start + size]
        rest = rest[start + size + 2 :]
        if not size:
            return body
    return None


def _is_object(body: bytes) -> bool:
    def once(pairs: list[tuple[str, object]]) -> dict[str, object]:
        assert len(dict(pairs)) == len(pairs)
        return dict(pairs)

    try:
        return isinstance(json.loads(body.decode(), object_pairs_hook=once), dict)
    except (ValueError, AssertionError):
        return False


# Parts of requests, right ones and wrong ones

METHODS = st.sampled_from([b"GET", b"POST", b"PUT", b"DELETE", b"HEAD", b"get", b"PATCH", b"GE T"])
SEGMENTS = st.one_of(
    st.sampled_from([b"wallets", b"wa-1", b"tags", b"keys", b"..", b".", b"", b"%2e%2e", b"x;y"]),
    st.binary(min_size=1, max_size=3),
)
QUERIES = st.one_of(
    st.sampled_from([b"", b"?", b"?limit=1", b"?a=%0d%0a", b"?a=#b", b'?a="b"', b"??", b"#"]),
    st.binary(max_size=3).map(lambda end: b"?" + end),
)
PLAIN_TARGETS = st.sampled_from(
    [b"/wallets", b"/wallets/wa-1", b"/wallets/wa-1/tags", b"/wallets/wa-1?a=b", b"/keys", b"/"]
)
ODD_TARGETS = st.builds(
    lambda prefix, segments, query: prefix + b"/" + b"/".join(segments) + query,
    st.sampled_from([b"", b"http://evil.example", b"//evil.example", b"@evil.example", b"\\"]),
    st.lists(SEGMENTS, max_size=4),
    QUERIES,
)
BODIES = st.one_of(
    st.sampled_from(
        [
            b"",
            b"{}",
            b'{"a":1}',
            b'{ "a" : "\\u00e9" }',
            b'{"a":1,"a":2}',
            b'{"a":NaN}',
            b"[]",
            b"a=b",
        ]
    ),
    st.binary(max_size=8),
)
LINES = st.sampled_from(
    [
        b"Host: evil.example",
        b"Host: HOST",
        b"Content-Length: 2",
        b"Content-Length: 7, 7",
        b"Transfer-Encoding: chunked",
        b"Transfer-Encoding: identity",
        b"Transfer-Encoding : chunked",
        b" folded",
        b"X-Odd: a\nHost: evil.example",
        b"X-Odd: a\rX: b",
        b"X-HTTP-Method-Override: DELETE",
        b"X-Original-URL: /keys",
        b"Expect: 100-continue",
        b"Connection: close",
        b"Trailer: X",
        b"Cookie: a=1",
        b"Content-Type: text/plain",
        b"Content-Encoding: gzip",
        b"Upgrade: h2c",
        b"",
    ]
)
ENDS = st.sampled_from([b"\r\n"] * 12 + [b"\n", b"\r", b"\r\n ", b"\r\n\r\n"])


@dataclass(frozen=True)
class Parts:
    """Of a request before it is put together."""

    method: bytes
    target: bytes
    body: bytes
    framing: str
    lines: list[bytes]
    end: bytes
    noise: list[tuple[int, bytes]]

    def raw(self, host: bytes) -> bytes:
        """The request as bytes."""
        lines = [
            self.method + b" " + self.target + b" HTTP/1.1",
            b"Host: " + host,
            b"Authorization: Bearer " + TOKEN.encode(),
            b"Content-Type: application/json",
        ]
        body = self.body
        if self.framing == "chunked":
            lines.append(b"Transfer-Encoding: chunked")
            body = (b"%x\r\n%b\r\n" % (len(body), body) if body else b"") + b"0\r\n\r\n"
        elif self.framing == "length":
            lines.append(b"Content-Length: %d" % len(body))
        lines += [line.replace(b"HOST", host) for line in self.lines]
        raw = b"\r\n".join(lines) + self.end + b"\r\n" + body
        for place, byte in self.noise:
            at = place % len(raw)
            raw = raw[:at] + byte + raw[at + 1 :]
        return raw


ODD = st.builds(
    Parts,
    st.one_of(st.sampled_from([b"GET", b"POST", b"DELETE"]), METHODS),
    st.one_of(PLAIN_TARGETS, ODD_TARGETS),
    BODIES,
    st.sampled_from(["length", "chunked", "none"]),
    st.one_of(st.just([]), st.lists(LINES, max_size=2)),
    ENDS,
    st.one_of(
        st.just([]), st.lists(st.tuples(st.integers(0, 500), st.binary(max_size=2)), max_size=2)
    ),
)
SPELLED_BODIES = st.builds(
    lambda body, indent, ascii_only: json.dumps(body, indent=indent, ensure_ascii=ascii_only),
    st.dictionaries(
        st.text(st.characters(exclude_categories=["Cs"]), max_size=3), st.integers(), max_size=3
    ),
    st.none() | st.integers(0, 2),
    st.booleans(),
).map(str.encode)
# Calls that the rules allow, but for what one line more or another byte makes of them.
NEAR = st.builds(
    lambda call, body, framing, lines, noise: Parts(
        call[0], call[1], b"" if call[0] == b"GET" else body, framing, lines, b"\r\n", noise
    ),
    st.sampled_from(
        [
            (b"POST", b"/wallets"),
            (b"DELETE", b"/wallets/wa-1/tags"),
            (b"GET", b"/wallets/wa-1"),
            (b"GET", b"/wallets/wa-1?a=b"),
        ]
    ),
    st.one_of(BODIES, SPELLED_BODIES),
    st.sampled_from(["length", "chunked"]),
    st.one_of(st.just([]), st.lists(LINES, max_size=1)),
    st.one_of(
        st.just([]), st.lists(st.tuples(st.integers(0, 500), st.binary(max_size=2)), max_size=1)
    ),
)
PARTS = st.one_of(NEAR, ODD)
PLAIN = Parts(b"POST", b"/wallets", b'{"a": 1}', "length", [], b"\r\n", [])


class Watched:
    """A gateway, and a judge of what it sends on.

    Args:
        url: of the gateway.
        proxy: before the API.
    """

    def __init__(self, url: str, proxy: FaultProxy) -> None:
        self.host = url.removeprefix("http://").encode()
        self.url = url
        self._requests: list[Request] = []
        proxy.plan = self._requests.append
        self._allowed: Counter[Call] = Counter()
        self._judged = 0

    def expect(self, raw: bytes) -> Call | None:
        """The call that a request is, if it is one; expected if the rules allow it."""
        call = understood(raw, self.host)
        if call is not None and ALLOWED.fullmatch(call.method + b" " + call.target):
            self._allowed[call] += 1
        return call

    def judge(self) -> None:
        """Each call that Dfns has got by now is one that came in, in the same form."""
        requests = self._requests[self._judged :]
        self._judged += len(requests)
        for request in requests:
            if request.target not in {"/auth/action/init", "/auth/action"}:
                call = Call(request.method.encode(), request.target.encode(), request.body)
                assert self._allowed[call] > 0, call
                self._allowed[call] -= 1


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    with ScriptedApi() as api, FaultProxy(api.url) as proxy:
        file = configuration_for(proxy.url, tmp_path_factory.mktemp("fuzzed"), RULES)
        with served(file) as urls:
            watched = Watched(urls[0], proxy)
            yield watched
        watched.judge()  # the gateway has ended, and with it the last call


@pytest.mark.timeout(600)  # as many requests take their time on a busy machine
@settings(max_examples=1000, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@example(PLAIN)
@given(PARTS)
def test_only_allowed_calls_are_sent_on_and_in_the_form_in_which_they_came(
    watched: Watched, parts: Parts
) -> None:
    raw = parts.raw(watched.host)
    event("a call" if watched.expect(raw) else "not a call")

    with Connection(watched.url) as connection:
        connection.send_all_of(raw)

    watched.judge()


@pytest.mark.parametrize(
    "parts",
    [
        PLAIN,
        Parts(b"POST", b"/wallets", b'{ "a" : "\\u00e9" }', "chunked", [], b"\r\n", []),
        Parts(b"DELETE", b"/wallets/wa-1/tags", b'{"a":1}', "length", [], b"\r\n", []),
        Parts(b"GET", b"/wallets/wa-1?a=b", b"", "none", [], b"\r\n", []),
    ],
)
def test_judge_understands_what_the_gateway_takes(watched: Watched, parts: Parts) -> None:
    raw = parts.raw(watched.host)

    assert watched.expect(raw) == Call(parts.method, parts.target, parts.body)
    assert answer_to(watched.url, raw, parts.method.decode()).status == 200
    watched.judge()


@pytest.mark.parametrize(
    ("coding", "chunks"),
    [(b"Chunked", b"2\r\n{}\r\n0\r\n\r\n"), (b"chunked", b"2 \r\n{}\r\n0\t\r\n\r\n")],
    ids=["case", "blanks"],
)
def test_judge_understands_chunks_as_the_gateway_does(
    watched: Watched, coding: bytes, chunks: bytes
) -> None:
    line = b"Transfer-Encoding: " + coding
    raw = Parts(b"POST", b"/wallets", chunks, "none", [line], b"\r\n", []).raw(watched.host)

    assert watched.expect(raw) == Call(b"POST", b"/wallets", b"{}")
    assert answer_to(watched.url, raw).status == 200
    watched.judge()
