"""The request log is bounded in requests and in bytes, and forgets the oldest first."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from dfns_signers.emulator import Emulator, ReceivedRequest
from dfns_signers.emulator.request_log import KEPT_BYTES, RequestLog, size_of
from tests.emulator.caller import Caller

SIZES = st.integers(0, 400)


def received(path: int = 0, query: int = 0, header: int = 0, body: int = 0) -> ReceivedRequest:
    return ReceivedRequest("GET", "/" * path, "q" * query, {"x": "y" * header}, b"z" * body)


@given(
    st.lists(st.builds(received, SIZES, SIZES, SIZES, SIZES)),
    st.integers(1, 10),
    st.integers(2_000, 6_000),
)
def test_newest_requests_that_fit_are_kept(
    requests: list[ReceivedRequest], kept_requests: int, kept_bytes: int
) -> None:
    log = RequestLog(kept_requests, kept_bytes)
    for request in requests:
        log.append(request)

    kept = list(log)

    assert kept == requests[len(requests) - len(kept) :]
    assert len(kept) <= kept_requests
    assert sum(map(size_of, kept)) <= kept_bytes
    if len(kept) < min(len(requests), kept_requests):
        assert sum(map(size_of, [requests[-len(kept) - 1], *kept])) > kept_bytes


@given(SIZES, SIZES, SIZES, SIZES)
def test_size_of_a_request_is_that_of_all_its_parts(
    path: int, query: int, header: int, body: int
) -> None:
    assert size_of(received(path, query, header, body)) == 4 + path + query + header + body


def test_requests_without_a_token_are_bounded_too(emulator: Emulator, caller: Caller) -> None:
    body = b"x" * 1_048_576
    for _ in range(40):
        caller.http.post("/wallets", content=body)

    kept = emulator.requests

    assert len(kept) == KEPT_BYTES // len(body) - 1
    assert sum(map(size_of, kept)) <= KEPT_BYTES
