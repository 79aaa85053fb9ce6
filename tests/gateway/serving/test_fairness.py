"""No client can take the place of others: neither of their connections nor of their calls."""

from __future__ import annotations

import asyncio
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import httpx
from hypothesis import given
from hypothesis import strategies as st

from dfns_signers.gateway.callers.in_flight import InFlight
from dfns_signers.gateway.requests.messages import Peer, Refusal
from dfns_signers.gateway.serving.bounds import Bounds
from dfns_signers.gateway.serving.fairness import connection_to_close
from tests.gateway.holding import held_gateway
from tests.gateway.processes import eventually
from tests.gateway.requests.raw_sockets import connection_to, head, received, status_of
from tests.gateway.running import (
    LISTEN,
    READER,
    TOKEN,
    running_gateway,
    served,
)

GATEWAY = LISTEN + READER
HEADERS = {"Authorization": f"Bearer {TOKEN}"}
NEVER = 3600.0


# Fairness between connections


def test_idle_connections_of_one_client_keep_no_other_from_being_served(tmp_path: Path) -> None:
    bounds = Bounds(head=NEVER, connections=64)
    with running_gateway(tmp_path, GATEWAY, bounds=bounds) as gateway, ExitStack() as idle:
        for _ in range(300):
            idle.enter_context(connection_to(gateway.urls[0]))

        with gateway.client() as caller:
            assert caller.get("/wallets").status_code == 200


def test_new_connections_end_no_call_that_is_under_way(tmp_path: Path) -> None:
    with (
        held_gateway(tmp_path, GATEWAY) as (file, upstream, _),
        served(file, Bounds(head=NEVER, connections=2)) as urls,
        ExitStack() as opened,
    ):
        calls = [opened.enter_context(connection_to(urls[0])) for _ in range(2)]
        for call in calls:
            call.sendall(head(urls[0], "GET /wallets HTTP/1.1", "Connection: close"))
        eventually(lambda: len(upstream.held) == 2, "two calls are under way")

        for _ in range(10):
            assert received(opened.enter_context(connection_to(urls[0]))) == b""
        upstream.let_go.set()

        assert [status_of(received(call)) for call in calls] == [200, 200]


@dataclass(frozen=True)
class Open:
    """A connection, as its number and peer."""

    peer: Peer
    since: float
    is_waiting: bool = True


def of_user(uid: int) -> Peer:
    return Peer("unix:/run/api.sock", uid=uid)


def at_address(host: str, port: int) -> Peer:
    return Peer("0.0.0.0:8443?tls=gateway", address=f"{host}:{port}")


@given(
    crowd=st.integers(2, 50),
    few=st.integers(0, 1),
    newcomer=st.sampled_from([1001, 1002]),
)
def test_peer_with_the_most_connections_makes_room(crowd: int, few: int, newcomer: int) -> None:
    others = [Open(of_user(1002), -1.0) for _ in range(few)]
    connections = [*others, *(Open(of_user(1001), float(number)) for number in range(crowd))]

    closed = connection_to_close(connections, of_user(newcomer))

    assert closed == Open(of_user(1001), 0.0)


def test_peer_gets_no_connection_at_the_cost_of_one_that_has_fewer() -> None:
    busy = [Open(of_user(1001), 1.0, is_waiting=False)] * 5
    connections = [*busy, Open(of_user(1002), 1.0)]

    assert connection_to_close(connections, of_user(1001)) is None


def test_ports_of_one_machine_are_one_peer() -> None:
    crowd = [Open(at_address("10.0.0.1", 40_000 + number), 5.0) for number in range(5)]
    connections = [Open(at_address("10.0.0.2", 40_000), 1.0), *crowd]

    closed = connection_to_close(connections, at_address("10.0.0.3", 40_000))

    assert closed is not None
    assert closed.peer.address.startswith("10.0.0.1:")


# Fairness between calls


def entered(calls: InFlight, caller: str, stack: ExitStack) -> str:
    """What refuses a call that begins; empty if it is let in."""
    try:
        stack.enter_context(calls.call(caller))
    except Refusal as refusal:
        return f"{refusal.status} {refusal.check}"
    return ""


def test_caller_has_a_bound_of_calls_under_way() -> None:
    calls = InFlight(total=10, of_one=2, reserved=1)
    with ExitStack() as stack:
        found = [entered(calls, "payments", stack) for _ in range(3)]

        assert found == ["", "", "429 calls-of-caller"]
        assert entered(calls, "treasury", stack) == ""
    assert calls.calls == 0


def test_each_caller_has_some_calls_however_many_the_others_have() -> None:
    calls = InFlight(total=4, of_one=4, reserved=1)
    with ExitStack() as stack:
        assert [entered(calls, "payments", stack) for _ in range(4)] == [""] * 4

        assert [entered(calls, "treasury", stack) for _ in range(2)] == ["", "503 calls"]


def test_call_over_the_bound_of_its_caller_is_refused_before_the_api_hears_of_it(
    tmp_path: Path,
) -> None:
    async def call_in_crowd(url: str) -> list[httpx.Response]:
        limits = httpx.Limits(max_connections=None)
        async with httpx.AsyncClient(
            base_url=url, headers=HEADERS, trust_env=False, timeout=60, limits=limits
        ) as caller:
            crowd = [asyncio.create_task(caller.get("/wallets")) for _ in range(64)]
            await asyncio.to_thread(eventually, lambda: len(upstream.held) == 64, "64 are held")
            refused = await caller.get("/wallets")
            upstream.let_go.set()
            return [refused, *await asyncio.gather(*crowd)]

    with held_gateway(tmp_path, GATEWAY) as (file, upstream, _), served(file) as urls:
        refused, *answers = asyncio.run(call_in_crowd(urls[0]))

    assert refused.status_code == 429
    assert refused.headers["retry-after"] == "1"
    assert [answer.status_code for answer in answers] == [200] * 64
