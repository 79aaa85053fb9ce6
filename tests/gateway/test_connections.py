"""What a client may do with connections, and that no client can take the place of others."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dfns_signers.gateway.in_flight import InFlight
from dfns_signers.gateway.messages import Peer, Refusal
from dfns_signers.gateway.serving.bounds import MAX_HEAD, Bounds
from dfns_signers.gateway.serving.fairness import connection_to_close
from tests.core.client.scripted import Reply, ScriptedApi
from tests.gateway.holding import held_gateway
from tests.gateway.processes import eventually
from tests.gateway.raw_sockets import connection_to, head, received, status_of
from tests.gateway.running import (
    DIGEST,
    LISTEN,
    TOKEN,
    RunningGateway,
    configuration_for,
    running_gateway,
    served,
)

READER = f"""
[gateway.callers.reader]
token_sha256 = ["{DIGEST}"]
reads = true
"""
GATEWAY = LISTEN + READER
HEADERS = {"Authorization": f"Bearer {TOKEN}"}
NEVER = 3600.0


# Deadlines


def nothing(_connection: socket.socket, _url: str) -> None:
    """Say nothing."""


def half_a_head(connection: socket.socket, url: str) -> None:
    connection.sendall(head(url)[:-2])


def half_a_body(connection: socket.socket, url: str) -> None:
    connection.sendall(
        head(url, "POST /wallets HTTP/1.1", "Content-Type: application/json", "Content-Length: 9")
        + b"{"
    )


def a_request(connection: socket.socket, url: str) -> None:
    connection.sendall(head(url))


def a_request_and_half_a_head(connection: socket.socket, url: str) -> None:
    connection.sendall(head(url) + head(url)[:-2])


@pytest.mark.parametrize(
    ("sent", "bounds"),
    [
        (nothing, Bounds(head=0.2, body=NEVER, idle=NEVER)),
        (half_a_head, Bounds(head=0.2, body=NEVER, idle=NEVER)),
        (half_a_body, Bounds(head=NEVER, body=0.2, idle=NEVER)),
        (a_request, Bounds(head=NEVER, body=NEVER, idle=0.2)),
        (a_request_and_half_a_head, Bounds(head=0.2, body=NEVER, idle=NEVER)),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_connection_that_is_slow_or_idle_is_closed(
    tmp_path: Path, sent: Callable[[socket.socket, str], None], bounds: Bounds
) -> None:
    with (
        running_gateway(tmp_path, GATEWAY, bounds=bounds) as gateway,
        connection_to(gateway.urls[0]) as connection,
    ):
        sent(connection, gateway.urls[0])

        received(connection)  # ends when the gateway closes


@pytest.mark.parametrize(
    ("begun", "bounds"),
    [
        (half_a_head, Bounds(head=0.5, body=NEVER, idle=NEVER)),
        (half_a_body, Bounds(head=NEVER, body=0.5, idle=NEVER)),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_no_byte_that_a_client_sends_prolongs_its_time(
    tmp_path: Path, begun: Callable[[socket.socket, str], None], bounds: Bounds
) -> None:
    with (
        running_gateway(tmp_path, GATEWAY, bounds=bounds) as gateway,
        connection_to(gateway.urls[0]) as connection,
    ):
        begun(connection, gateway.urls[0])

        assert is_closed_while_sending(connection)


def is_closed_while_sending(connection: socket.socket) -> bool:
    """Whether a connection ends although a byte is sent again and again."""
    connection.settimeout(0.1)
    for _ in range(300):
        try:
            connection.sendall(b" ")
            return connection.recv(1) == b""
        except TimeoutError:
            continue
        except OSError:
            return True
    return False


def test_client_that_does_not_take_its_answer_is_closed(tmp_path: Path) -> None:
    large = {"items": ["x" * 1000] * 12_000}
    admin = f"{tmp_path}/admin.sock"
    with ScriptedApi() as upstream:
        upstream.on("/wallets", always=Reply(body=large))
        listening = f'admin = "unix:{admin}"\n{GATEWAY}'
        file = configuration_for(upstream.url, tmp_path, listening)
        with served(file, Bounds(idle=0.2)) as urls, connection_to(urls[0]) as connection:
            connection.sendall(head(urls[0]))

            eventually(lambda: len(upstream.sent("/wallets")) == 1, "the call is sent on")
            eventually(lambda: connections_of(admin) == 0, "the connection is closed")

            assert len(received(connection)) < 12_000_000


def connections_of(admin: str) -> float:
    transport = httpx.HTTPTransport(uds=admin)
    with httpx.Client(transport=transport, base_url="http://localhost") as client:
        text = client.get("/metrics").text
    series = 'dfns_gateway_connections{listener="127.0.0.1:0"} '
    return float(next(line for line in text.splitlines() if line.startswith(series)).split()[-1])


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


# Other protocols


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningGateway]:
    with running_gateway(tmp_path_factory.mktemp("gateway"), GATEWAY) as running:
        yield running


@pytest.mark.parametrize(
    "offer",
    [
        ("Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAEAAEAAAAIAAAAA"),
        ("Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13"),
    ],
    ids=["h2c", "websocket"],
)
def test_offer_of_another_protocol_is_passed_over_in_silence(
    gateway: RunningGateway, offer: tuple[str, ...], caplog: pytest.LogCaptureFixture
) -> None:
    url = gateway.urls[0]
    with caplog.at_level(logging.INFO), connection_to(url) as connection:
        connection.sendall(head(url, "GET /wallets HTTP/1.1", *offer))
        answer = connection.recv(65536)

    assert status_of(answer) == 200
    assert b"pgrade" not in answer
    assert logged_of_http(caplog) == []


def logged_of_http(caplog: pytest.LogCaptureFixture) -> list[str]:
    servers = ("uvicorn", "dfns_signers.gateway.http")
    return [record.getMessage() for record in caplog.records if record.name.startswith(servers)]


@pytest.mark.parametrize(
    "line",
    ["PRI * HTTP/2.0", "CONNECT api.dfns.io:443 HTTP/1.1", "GET /wallets HTTP/0.9", "\x16\x03\x01"],
)
def test_other_protocol_is_refused_and_closed(
    gateway: RunningGateway, line: str, caplog: pytest.LogCaptureFixture
) -> None:
    before = len(gateway.emulator.requests)
    with connection_to(gateway.urls[0]) as connection:
        connection.sendall(head(gateway.urls[0], line, "Connection: close"))
        answer = received(connection)

    assert 400 <= status_of(answer) < 500
    assert len(gateway.emulator.requests) == before
    assert logged_of_http(caplog) == []


def test_head_without_end_is_refused(gateway: RunningGateway) -> None:
    with connection_to(gateway.urls[0]) as connection:
        connection.sendall(head(gateway.urls[0])[:-2] + b"X-Long: " + b"x" * 2 * MAX_HEAD)

        assert 400 <= status_of(received(connection)) < 500


def test_body_that_breaks_off_reaches_nobody(gateway: RunningGateway) -> None:
    url, before = gateway.urls[0], len(gateway.emulator.requests)
    with connection_to(url) as connection:
        connection.sendall(
            head(
                url,
                "POST /wallets HTTP/1.1",
                "Content-Type: application/json",
                "Transfer-Encoding: chunked",
            )
            + b"not a chunk\r\n"
        )
        answer = received(connection)

    assert status_of(answer) == 400
    assert b'"error"' in answer
    assert len(gateway.emulator.requests) == before
