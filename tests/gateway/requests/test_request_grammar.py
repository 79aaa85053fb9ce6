"""Odd requests of one meaning are taken, and one request says nothing of the next."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tests.gateway.requests.raw_requests import BODY, Connection, answer_to, chunked, read, request
from tests.gateway.running import LISTEN, PAYMENTS, RunningGateway, running_gateway

READS = """
[[gateway.callers.payments.allow]]
name = "wallet"
call = "GET /wallets/{walletId}"

[[gateway.callers.payments.allow]]
name = "list"
call = "GET /wallets"
"""


CHUNK = b"%x" % len(BODY)


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningGateway]:
    with running_gateway(tmp_path_factory.mktemp("grammar"), LISTEN + PAYMENTS + READS) as running:
        yield running


ACCEPTED = {
    "chunks": chunked(CHUNK, BODY, b"0", b""),
    "chunk extension": chunked(CHUNK + b";a=b", BODY, b"0", b""),
    "offer of HTTP/2, as of the HTTP client of Java": request(
        headers=[
            b"Connection: Upgrade, HTTP2-Settings",
            b"Upgrade: h2c",
            b"HTTP2-Settings: AAEAAEAAAAIAAAABAAMAAABkAAQBAAAAAAUAAEAA",
        ]
    ),
    "offer of a web socket": request(
        headers=[b"Connection: Upgrade", b"Upgrade: websocket", b"Sec-WebSocket-Version: 13"]
    ),
    "name of a header in odd case": request(host=b"HOST").replace(b"Host:", b"hOST:"),
    "type in UTF-8": request(content_type=b"application/json; charset=utf-8"),
    "type in upper case": request(content_type=b"Application/JSON;charset=UTF-8"),
    "methods in headers": request(headers=[b"X-HTTP-Method-Override: DELETE"]),
    "targets in headers": request(headers=[b"X-Original-URL: /keys", b"X-Rewrite-URL: /keys"]),
    "other hosts in headers": request(
        headers=[b"X-Forwarded-Host: evil.example", b"Forwarded: host=evil.example"]
    ),
    "HTTP/1.0": request(version=b"HTTP/1.0"),
}


@pytest.mark.parametrize("raw", ACCEPTED.values(), ids=ACCEPTED.keys())
def test_odd_request_with_one_meaning_is_a_call_like_any_other(
    gateway: RunningGateway, raw: bytes
) -> None:
    answer = answer_to(gateway.urls[0], raw)

    assert answer.status == 200, answer.body
    assert json.loads(answer.body)["network"] == "EthereumSepolia"


def test_offers_of_other_protocols_do_not_fill_the_log(
    gateway: RunningGateway, caplog: pytest.LogCaptureFixture
) -> None:
    answer_to(gateway.urls[0], request(headers=[b"Connection: Upgrade", b"Upgrade: h2c"]))

    assert not [one for one in caplog.records if one.levelname == "WARNING"]


@pytest.mark.parametrize(
    "raw",
    [read(b"/wallets?limit=1"), request(), ACCEPTED["chunks"]],
    ids=["no body", "length", "chunks"],
)
def test_request_that_comes_byte_by_byte_is_read(gateway: RunningGateway, raw: bytes) -> None:
    with Connection(gateway.urls[0]) as connection:
        raw = raw.replace(b"HOST", connection.host)

        connection.send(*(raw[at : at + 1] for at in range(len(raw))))

        assert connection.answer().status == 200


def test_client_that_expects_to_go_on_is_asked_for_its_body(gateway: RunningGateway) -> None:
    with Connection(gateway.urls[0]) as connection:
        raw = request(host=connection.host, headers=[b"Expect: 100-continue"])
        connection.send(raw.removesuffix(BODY))

        assert connection.head()[0].startswith(b"HTTP/1.1 100 ")
        connection.send(BODY)

        assert connection.answer().status == 200


def test_client_that_expects_to_go_on_with_a_refused_request_is_not_asked_for_its_body(
    gateway: RunningGateway,
) -> None:
    with Connection(gateway.urls[0]) as connection:
        connection.send(
            request(host=b"evil.example", headers=[b"Expect: 100-continue"]).removesuffix(BODY)
        )

        answer = connection.answer()

    assert (answer.status, answer.is_last) == (421, True)


def test_second_request_behind_a_first_is_judged_for_itself(gateway: RunningGateway) -> None:
    before = len(gateway.emulator.requests)
    with Connection(gateway.urls[0]) as connection:
        allowed = read(b"/wallets", host=connection.host)
        connection.send(allowed + read(b"/keys", host=connection.host) + allowed)

        statuses = [connection.answer("GET").status for _ in range(3)]

    assert statuses == [200, 403, 200]
    heard = gateway.emulator.requests[before:]
    assert [one.raw_path for one in heard] == ["/wallets", "/wallets"]


@pytest.mark.parametrize("body", [BODY, b"x" * 2**20])
def test_connection_goes_on_after_a_request_that_was_refused_for_its_head(
    gateway: RunningGateway, body: bytes
) -> None:
    with Connection(gateway.urls[0]) as connection:
        connection.send(request(host=b"evil.example", body=body))
        refused = connection.answer()

        connection.send(read(b"/wallets", host=connection.host))
        allowed = connection.answer("GET")

    assert (refused.status, refused.is_last, allowed.status) == (421, False, 200)


IN_DOUBT = {
    "length with chunks": request(headers=[b"Transfer-Encoding: chunked"]),
    "trailers": chunked(CHUNK, BODY, b"0", b"X-Late: 1", b""),
    "folded header": request(headers=[b"X-Long: a\r\n b"]),
    "too large": request(body=b'{"a":"' + b"x" * 2**21 + b'"}'),
}


@pytest.mark.parametrize("raw", IN_DOUBT.values(), ids=IN_DOUBT.keys())
def test_connection_ends_with_a_request_whose_end_is_in_doubt(
    gateway: RunningGateway, raw: bytes
) -> None:
    assert answer_to(gateway.urls[0], raw).is_last


@pytest.mark.parametrize("host", [None, b"evil.example"], ids=["its host", "a foreign host"])
def test_body_without_an_end_is_not_read_to_it(gateway: RunningGateway, host: bytes | None) -> None:
    piece = b"10000\r\n" + b"x" * 2**16 + b"\r\n"
    with Connection(gateway.urls[0]) as connection:
        connection.send(
            request(
                host=host or connection.host,
                headers=[b"Transfer-Encoding: chunked"],
                body=b"",
                length=False,
            )
        )
        sent = connection.send_until_refused(piece, most=2**26)

    assert 2**23 <= sent < 2**25


def test_refusal_does_not_repeat_what_was_sent(gateway: RunningGateway) -> None:
    raw = request(body=b'{"a":"secret-of-the-body","b":NaN}', headers=[b"Origin: canary-of-origin"])
    for sent in (raw, raw.replace(b"Origin", b"X-Origin")):
        answer = answer_to(gateway.urls[0], sent)

        assert b"secret-of-the-body" not in answer.body
        assert b"canary-of-origin" not in answer.body


@pytest.mark.parametrize("headers", [{}, {"content-type": "application/x-www-form-urlencoded"}])
def test_refusal_of_a_content_type_says_what_to_send(
    gateway: RunningGateway, headers: dict[str, str]
) -> None:
    with gateway.client() as client:
        answer = client.post("/wallets", content=BODY, headers=headers)

    assert answer.status_code == 415
    assert "send 'Content-Type: application/json'" in answer.json()["error"]["message"]


@pytest.mark.parametrize("path", ["/", "/wallets/"])
def test_refusal_of_a_slash_at_the_end_names_it(gateway: RunningGateway, path: str) -> None:
    with gateway.client() as client:
        answer = client.get(path)

    assert answer.status_code == 400
    assert "no '/' at the end" in answer.json()["error"]["message"]
