"""The log of exchanges is bounded in number and in bytes, and forgets the oldest first."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from dfns_signers.emulator import Emulator, ReceivedRequest
from dfns_signers.emulator.exchanges.request_log import KEPT_BYTES, Exchange, RequestLog, size_of
from dfns_signers.emulator.requests.messages import Answer
from tests.emulator.caller import Caller

SIZES = st.integers(0, 400)


def exchanged(
    path: int = 0, query: int = 0, header: int = 0, body: int = 0, answer: int = 0, number: int = 1
) -> Exchange:
    request = ReceivedRequest("GET", "/" * path, "q" * query, {"x": "y" * header}, b"z" * body)
    return Exchange(number, 0.0, 0.0, request, Answer(b"a" * answer))


@given(
    st.lists(st.builds(exchanged, SIZES, SIZES, SIZES, SIZES, SIZES)),
    st.integers(1, 10),
    st.integers(2_500, 6_000),
)
def test_newest_exchanges_that_fit_are_kept(
    exchanges: list[Exchange], kept_requests: int, kept_bytes: int
) -> None:
    log = RequestLog(kept_requests, kept_bytes)
    for exchange in exchanges:
        log.append(exchange)

    kept = list(log)

    assert kept == exchanges[len(exchanges) - len(kept) :]
    assert len(kept) <= kept_requests
    assert sum(map(size_of, kept)) <= kept_bytes
    if len(kept) < min(len(exchanges), kept_requests):
        assert sum(map(size_of, [exchanges[-len(kept) - 1], *kept])) > kept_bytes


@given(st.integers(0, 30), st.integers(0, 40), st.integers(1, 40))
def test_newest_exchanges_after_a_number_are_found(count: int, number: int, most: int) -> None:
    log = RequestLog()
    for index in range(count):
        log.append(exchanged(number=index + 1))

    found = [exchange.number for exchange in log.after(number, most)]

    assert found == list(range(number + 1, count + 1))[-most:]


@given(SIZES, SIZES, SIZES, SIZES, SIZES)
def test_size_of_an_exchange_is_that_of_all_its_parts(
    path: int, query: int, header: int, body: int, answer: int
) -> None:
    size = size_of(exchanged(path, query, header, body, answer))

    assert size == 4 + path + query + header + body + answer


def test_requests_without_a_token_are_bounded_too(emulator: Emulator, caller: Caller) -> None:
    body = b"x" * 1_048_576
    for _ in range(40):
        caller.http.post("/wallets", content=body)

    kept = emulator.requests

    assert len(kept) == KEPT_BYTES // len(body) - 1
